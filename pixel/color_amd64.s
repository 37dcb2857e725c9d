//go:build !noasm

#include "textflag.h"

#define FOUR(name, at, v) \
	DATA name<>+at+0(SB)/4, $v \
	DATA name<>+at+4(SB)/4, $v \
	DATA name<>+at+8(SB)/4, $v \
	DATA name<>+at+12(SB)/4, $v

#define EIGHT(name, v) \
	FOUR(name, 0, v) \
	FOUR(name, 16, v) \
	GLOBL name<>(SB), RODATA|NOPTR, $32

// Where the bytes of four pixels go, one of each to the lowest byte of four lanes, and back.
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

SHUFFLE(pick0, 0x80808000, 0x80808003, 0x80808006, 0x80808009)
SHUFFLE(pick1, 0x80808001, 0x80808004, 0x80808007, 0x8080800a)
SHUFFLE(pick2, 0x80808002, 0x80808005, 0x80808008, 0x8080800b)
SHUFFLE(joint, 0x04020100, 0x09080605, 0x0e0d0c0a, 0x80808080)

EIGHT(yRed, 19595)
EIGHT(yGreen, 38470)
EIGHT(yBlue, 7471)
EIGHT(half, 32768)
EIGHT(cbRed, 11059)
EIGHT(cbGreen, 21709)
EIGHT(crGreen, 27439)
EIGHT(crBlue, 5329)
EIGHT(middle, 8421375)
EIGHT(redCr, 91881)
EIGHT(greenCb, 22554)
EIGHT(greenCr, 46802)
EIGHT(blueCb, 116130)
EIGHT(zero, 128)
EIGHT(top, 255)

// LOAD takes eight pixels apart into the lanes of Y0, Y1 and Y2.
#define LOAD \
	VMOVDQU (SI), X3 \
	VINSERTI128 $1, 12(SI), Y3, Y3 \
	VPSHUFB pick0<>(SB), Y3, Y0 \
	VPSHUFB pick1<>(SB), Y3, Y1 \
	VPSHUFB pick2<>(SB), Y3, Y2

// STORE puts Y4, Y5 and Y6 together to eight pixels.
#define STORE \
	VPSLLD $8, Y5, Y5 \
	VPSLLD $16, Y6, Y6 \
	VPOR Y5, Y4, Y4 \
	VPOR Y6, Y4, Y4 \
	VPSHUFB joint<>(SB), Y4, Y4 \
	VMOVDQU X4, (DI) \
	VEXTRACTI128 $1, Y4, X5 \
	VMOVQ X5, 12(DI) \
	VPEXTRD $2, X5, 20(DI)

// func toYBRAVX2(out, in *byte, n int)
TEXT ·toYBRAVX2(SB), NOSPLIT, $0-24
	MOVQ out+0(FP), DI
	MOVQ in+8(FP), SI
	MOVQ n+16(FP), CX

ybr:
	LOAD
	VPMULLD yRed<>(SB), Y0, Y4
	VPMULLD yGreen<>(SB), Y1, Y7
	VPMULLD yBlue<>(SB), Y2, Y8
	VPADDD half<>(SB), Y4, Y4
	VPADDD Y7, Y4, Y4
	VPADDD Y8, Y4, Y4
	VPSRLD $16, Y4, Y4
	VPSLLD $15, Y2, Y5
	VPMULLD cbRed<>(SB), Y0, Y7
	VPMULLD cbGreen<>(SB), Y1, Y8
	VPADDD middle<>(SB), Y5, Y5
	VPSUBD Y7, Y5, Y5
	VPSUBD Y8, Y5, Y5
	VPSRLD $16, Y5, Y5
	VPSLLD $15, Y0, Y6
	VPMULLD crGreen<>(SB), Y1, Y7
	VPMULLD crBlue<>(SB), Y2, Y8
	VPADDD middle<>(SB), Y6, Y6
	VPSUBD Y7, Y6, Y6
	VPSUBD Y8, Y6, Y6
	VPSRLD $16, Y6, Y6
	STORE
	ADDQ $24, SI
	ADDQ $24, DI
	SUBQ $8, CX
	JG ybr
	VZEROUPPER
	RET

#define CLIP(y) \
	VPMAXSD Y15, y, y \
	VPMINSD top<>(SB), y, y

// func toRGBAVX2(out, in *byte, n int)
TEXT ·toRGBAVX2(SB), NOSPLIT, $0-24
	MOVQ out+0(FP), DI
	MOVQ in+8(FP), SI
	MOVQ n+16(FP), CX
	VPXOR Y15, Y15, Y15

rgb:
	LOAD
	VPSUBD zero<>(SB), Y1, Y1
	VPSUBD zero<>(SB), Y2, Y2
	VPMULLD redCr<>(SB), Y2, Y4
	VPMULLD greenCb<>(SB), Y1, Y5
	VPMULLD greenCr<>(SB), Y2, Y7
	VPMULLD blueCb<>(SB), Y1, Y6
	VMOVDQU half<>(SB), Y8
	VPADDD Y8, Y4, Y4
	VPSUBD Y5, Y8, Y5
	VPSUBD Y7, Y5, Y5
	VPADDD Y8, Y6, Y6
	VPSRAD $16, Y4, Y4
	VPSRAD $16, Y5, Y5
	VPSRAD $16, Y6, Y6
	VPADDD Y0, Y4, Y4
	VPADDD Y0, Y5, Y5
	VPADDD Y0, Y6, Y6
	CLIP(Y4)
	CLIP(Y5)
	CLIP(Y6)
	STORE
	ADDQ $24, SI
	ADDQ $24, DI
	SUBQ $8, CX
	JG rgb
	VZEROUPPER
	RET
