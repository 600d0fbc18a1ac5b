//go:build goexperiment.synchashtriemap

package main

const syncDesign = "hashtrie"
