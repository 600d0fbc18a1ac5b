/* Addresses that a program can be given: what tables indexed by address reach. */
#ifndef MAPBENCH_ADDRESS_H
#define MAPBENCH_ADDRESS_H

/* 47 bits on x86-64, 48 on AArch64, where the system maps from the top down, so that bit 47 is set in nearly every address;
 * more only where a program asks for it (Linux, Documentation/arch/arm64/memory.rst, arch/x86/x86_64/5level-paging.rst). */
enum { ADDRESS_BITS = 48 };

#endif
