package main

import (
	"runtime"
	"time"
)

var goroutineScenarios = []retainScenario{
	{number: 26, name: "blocked_consumer", recordedAs: "goroutine_chan", n: 5000, run: runBlockedConsumer,
		liveIs: "nothing of a deleted item", liveEach: 0,
		variants: []retainVariant{
			{name: "leaky", role: leaky, summary: "a goroutine ranges over the channel of each item; the items are deleted"},
			{name: "close", role: fixed, summary: "the channel is closed first: its goroutine ends"},
		}},
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
