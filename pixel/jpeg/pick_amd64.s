//go:build !noasm

#include "textflag.h"

// Where every third byte of 24 goes: four of the first 16 to the lower half of eight words,
// four of the last 16 to the upper.
#define SHUFFLE(name, a, b, c, d) \
	DATA name<>+0(SB)/4, $a \
	DATA name<>+4(SB)/4, $b \
	DATA name<>+8(SB)/4, $c \
	DATA name<>+12(SB)/4, $d \
	DATA name<>+16(SB)/4, $a \
	DATA name<>+20(SB)/4, $b \
	DATA name<>+24(SB)/4, $c \
	DATA name<>+28(SB)/4, $d \
	GLOBL name<>(SB), RODATA|NOPTR, $32

SHUFFLE(first, 0x80038000, 0x80098006, 0x80808080, 0x80808080)
SHUFFLE(last, 0x80808080, 0x80808080, 0x80078004, 0x800d800a)
SHUFFLE(ones, 0x00010001, 0x00010001, 0x00010001, 0x00010001)
SHUFFLE(turns, 0, 1, 0, 1)

// func thirdsAVX2(line *uint16, px *byte, n int)
TEXT ·thirdsAVX2(SB), NOSPLIT, $0-24
	MOVQ line+0(FP), DI
	MOVQ px+8(FP), SI
	MOVQ n+16(FP), CX
	VMOVDQU first<>(SB), Y4
	VMOVDQU last<>(SB), Y5

thirds:
	VMOVDQU (SI), X0
	VMOVDQU 8(SI), X1
	VINSERTI128 $1, 24(SI), Y0, Y0
	VINSERTI128 $1, 32(SI), Y1, Y1
	VPSHUFB Y4, Y0, Y0
	VPSHUFB Y5, Y1, Y1
	VPOR Y1, Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ $48, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JG thirds
	VZEROUPPER
	RET

// func halveAVX2(line, wide *uint16, n int)
TEXT ·halveAVX2(SB), NOSPLIT, $0-24
	MOVQ line+0(FP), DI
	MOVQ wide+8(FP), SI
	MOVQ n+16(FP), CX
	VMOVDQU ones<>(SB), Y4
	VMOVDQU turns<>(SB), Y5

halves:
	VPMADDWD (SI), Y4, Y0
	VPMADDWD 32(SI), Y4, Y1
	VPADDD Y5, Y0, Y0
	VPADDD Y5, Y1, Y1
	VPSRLD $1, Y0, Y0
	VPSRLD $1, Y1, Y1
	VPACKUSDW Y1, Y0, Y0
	VPERMQ $0xd8, Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JG halves
	VZEROUPPER
	RET
