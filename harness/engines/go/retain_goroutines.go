package main

import (
	"runtime"
	"time"
)

var goroutineScenarios = []retainScenario{
	{name: "blocked_consumer", recordedAs: "goroutine_chan", run: runBlockedConsumer,
		liveIs: "nothing of a deleted item", liveEach: 0,
		variants: variantsOf(builtinMap, "leaky", "close")},
}

func runBlockedConsumer(c *retainCase) {
	const yieldEvery, settle = 64, 100 * time.Millisecond
	items := hold(c, map[string]cacheItem{})
	c.start()
	c.each("fill", c.n, noneKept, func(i int) {
		item := cacheItem{data: make([]byte, 1024), log: make(chan string, 1)}
		k := key(i)
		items.it[k] = item
		go consume(item.log)
		if c.is("close") {
			close(item.log)
		}
		delete(items.it, k)
		if i%yieldEvery == 0 {
			runtime.Gosched()
		}
	})
	time.Sleep(settle)
	c.note("stack_bytes", stackBytes())
	c.checkpoint("end", c.n, 0)
}

func consume(lines chan string) {
	for range lines {
	}
}

func stackBytes() uint64 { return readHeap().stacks }
