//go:build goexperiment.synchashtriemap || go1.26

package main

const syncDesign = "hashtrie"
