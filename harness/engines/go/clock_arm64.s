#include "textflag.h"

// The same instructions as harness/base/clock.h.

// func ticksStart() uint64
TEXT ·ticksStart(SB), NOSPLIT, $0-8
	ISB  $15
	MRS  CNTVCT_EL0, R0
	ISB  $15
	MOVD R0, ret+0(FP)
	RET

// func ticksStop() uint64
TEXT ·ticksStop(SB), NOSPLIT, $0-8
	ISB  $15
	MRS  CNTVCT_EL0, R0
	ISB  $15
	MOVD R0, ret+0(FP)
	RET
