//go:build !go1.24

package main

import "sync/atomic"

const weakMissing = "needs Go 1.24: package weak and runtime.AddCleanup"

// Never called: retain refuses the variants that need them.
func closeWhenGone(*wrapper, *atomic.Int64)          { panic(weakMissing) }
func closeWhenGoneCapturing(*wrapper, *atomic.Int64) { panic(weakMissing) }
func runWeakPointerKey(*retainCase)                  { panic(weakMissing) }
func runWeakValues(*retainCase)                      { panic(weakMissing) }
func runWeakKeyCycle(*retainCase)                    { panic(weakMissing) }
