module mapbench/engine

go 1.23
