//go:build !noasm

#include "textflag.h"

// Factors of the DCT with 13 bits of fraction, each for eight lanes.
#define FACTOR(name, v) \
	DATA name<>+0(SB)/4, $v \
	DATA name<>+4(SB)/4, $v \
	DATA name<>+8(SB)/4, $v \
	DATA name<>+12(SB)/4, $v \
	DATA name<>+16(SB)/4, $v \
	DATA name<>+20(SB)/4, $v \
	DATA name<>+24(SB)/4, $v \
	DATA name<>+28(SB)/4, $v \
	GLOBL name<>(SB), RODATA|NOPTR, $32

FACTOR(f0298, 2446)
FACTOR(f0390, 3196)
FACTOR(f0541, 4433)
FACTOR(f0765, 6270)
FACTOR(minus0899, -7373)
FACTOR(f1175, 9633)
FACTOR(f1501, 12299)
FACTOR(f1847, 15137)
FACTOR(f1961, 16069)
FACTOR(f2053, 16819)
FACTOR(minus2562, -20995)
FACTOR(f3072, 25172)

// TRANSPOSE takes eight rows from Y8 to Y15 and leaves eight columns in Y0 to Y7.
#define TRANSPOSE \
	VPUNPCKLDQ Y9, Y8, Y0 \
	VPUNPCKHDQ Y9, Y8, Y1 \
	VPUNPCKLDQ Y11, Y10, Y2 \
	VPUNPCKHDQ Y11, Y10, Y3 \
	VPUNPCKLDQ Y13, Y12, Y4 \
	VPUNPCKHDQ Y13, Y12, Y5 \
	VPUNPCKLDQ Y15, Y14, Y6 \
	VPUNPCKHDQ Y15, Y14, Y7 \
	VPUNPCKLQDQ Y2, Y0, Y8 \
	VPUNPCKHQDQ Y2, Y0, Y9 \
	VPUNPCKLQDQ Y3, Y1, Y10 \
	VPUNPCKHQDQ Y3, Y1, Y11 \
	VPUNPCKLQDQ Y6, Y4, Y12 \
	VPUNPCKHQDQ Y6, Y4, Y13 \
	VPUNPCKLQDQ Y7, Y5, Y14 \
	VPUNPCKHQDQ Y7, Y5, Y15 \
	VPERM2I128 $0x20, Y12, Y8, Y0 \
	VPERM2I128 $0x20, Y13, Y9, Y1 \
	VPERM2I128 $0x20, Y14, Y10, Y2 \
	VPERM2I128 $0x20, Y15, Y11, Y3 \
	VPERM2I128 $0x31, Y12, Y8, Y4 \
	VPERM2I128 $0x31, Y13, Y9, Y5 \
	VPERM2I128 $0x31, Y14, Y10, Y6 \
	VPERM2I128 $0x31, Y15, Y11, Y7

// ODD is the odd half of both transforms: it rotates what stands for the coefficients 1, 3,
// 5 and 7 in place, with Y8 to Y12.
#define ODD(i1, i3, i5, i7) \
	VPADDD i1, i7, Y8 \
	VPADDD i3, i5, Y9 \
	VPADDD i3, i7, Y10 \
	VPADDD i1, i5, Y11 \
	VPADDD Y11, Y10, Y12 \
	VPMULLD f1175<>(SB), Y12, Y12 \
	VPMULLD minus0899<>(SB), Y8, Y8 \
	VPMULLD minus2562<>(SB), Y9, Y9 \
	VPMULLD f1961<>(SB), Y10, Y10 \
	VPMULLD f0390<>(SB), Y11, Y11 \
	VPSUBD Y10, Y12, Y10 \
	VPSUBD Y11, Y12, Y11 \
	VPMULLD f0298<>(SB), i7, i7 \
	VPMULLD f2053<>(SB), i5, i5 \
	VPMULLD f3072<>(SB), i3, i3 \
	VPMULLD f1501<>(SB), i1, i1 \
	VPADDD Y8, i7, i7 \
	VPADDD Y10, i7, i7 \
	VPADDD Y9, i5, i5 \
	VPADDD Y11, i5, i5 \
	VPADDD Y9, i3, i3 \
	VPADDD Y10, i3, i3 \
	VPADDD Y8, i1, i1 \
	VPADDD Y11, i1, i1

// BUTTERFLY is the function of that name: from Y0 to Y7 into Y8 to Y15, with what is at
// round added and shifted by what is at shift.
#define BUTTERFLY(round, shift) \
	VPADDD Y6, Y2, Y8 \
	VPMULLD f0541<>(SB), Y8, Y8 \
	VPMULLD f1847<>(SB), Y6, Y6 \
	VPMULLD f0765<>(SB), Y2, Y2 \
	VPBROADCASTD round, Y12 \
	VPSUBD Y6, Y8, Y9 \
	VPADDD Y2, Y8, Y8 \
	VPADDD Y4, Y0, Y10 \
	VPSUBD Y4, Y0, Y11 \
	VPSLLD $13, Y10, Y10 \
	VPSLLD $13, Y11, Y11 \
	VPADDD Y12, Y10, Y10 \
	VPADDD Y12, Y11, Y11 \
	VPADDD Y8, Y10, Y0 \
	VPSUBD Y8, Y10, Y4 \
	VPADDD Y9, Y11, Y2 \
	VPSUBD Y9, Y11, Y6 \
	ODD(Y1, Y3, Y5, Y7) \
	VPADDD Y1, Y0, Y8 \
	VPSUBD Y1, Y0, Y15 \
	VPADDD Y3, Y2, Y9 \
	VPSUBD Y3, Y2, Y14 \
	VPADDD Y5, Y6, Y10 \
	VPSUBD Y5, Y6, Y13 \
	VPADDD Y7, Y4, Y11 \
	VPSUBD Y7, Y4, Y12 \
	VMOVQ shift, X0 \
	VPSRAD X0, Y8, Y8 \
	VPSRAD X0, Y9, Y9 \
	VPSRAD X0, Y10, Y10 \
	VPSRAD X0, Y11, Y11 \
	VPSRAD X0, Y12, Y12 \
	VPSRAD X0, Y13, Y13 \
	VPSRAD X0, Y14, Y14 \
	VPSRAD X0, Y15, Y15

// STORE packs two rows to 16 bits, cuts off what is below 0 or above Y15, and stores them.
#define STORE(a, b, y, x) \
	VPACKUSDW b, a, y \
	VPERMQ $0xd8, y, y \
	VPMINUW Y15, y, y \
	VMOVDQU x, (DI) \
	VEXTRACTI128 $1, y, (DI)(SI*1) \
	LEAQ (DI)(SI*2), DI

// func idctAVX2(c *[64]int32, out *uint16, stride int, p *idctShifts)
TEXT ·idctAVX2(SB), NOSPLIT, $0-32
	MOVQ c+0(FP), AX
	MOVQ out+8(FP), DI
	MOVQ stride+16(FP), SI
	MOVQ p+24(FP), BX
	SHLQ $1, SI
	VMOVDQU 0(AX), Y0
	VMOVDQU 32(AX), Y1
	VMOVDQU 64(AX), Y2
	VMOVDQU 96(AX), Y3
	VMOVDQU 128(AX), Y4
	VMOVDQU 160(AX), Y5
	VMOVDQU 192(AX), Y6
	VMOVDQU 224(AX), Y7
	BUTTERFLY(0(BX), 8(BX))
	TRANSPOSE
	BUTTERFLY(4(BX), 16(BX))
	TRANSPOSE
	VPBROADCASTW 24(BX), Y15
	STORE(Y0, Y1, Y8, X8)
	STORE(Y2, Y3, Y9, X9)
	STORE(Y4, Y5, Y10, X10)
	STORE(Y6, Y7, Y11, X11)
	VZEROUPPER
	RET

// FORWARD is the function of that name: from Y0 to Y7 into Y8 to Y15, the first and fifth
// of them without the fraction and as they come, the others shifted.
#define FORWARD(round, shift) \
	VPADDD Y7, Y0, Y8 \
	VPSUBD Y7, Y0, Y7 \
	VPADDD Y6, Y1, Y9 \
	VPSUBD Y6, Y1, Y6 \
	VPADDD Y5, Y2, Y10 \
	VPSUBD Y5, Y2, Y5 \
	VPADDD Y4, Y3, Y11 \
	VPSUBD Y4, Y3, Y4 \
	VPADDD Y11, Y8, Y12 \
	VPSUBD Y11, Y8, Y13 \
	VPADDD Y10, Y9, Y14 \
	VPSUBD Y10, Y9, Y15 \
	VPADDD Y14, Y12, Y0 \
	VPSUBD Y14, Y12, Y2 \
	VPADDD Y13, Y15, Y8 \
	VPMULLD f0541<>(SB), Y8, Y8 \
	VPMULLD f0765<>(SB), Y13, Y9 \
	VPMULLD f1847<>(SB), Y15, Y10 \
	VPADDD Y9, Y8, Y14 \
	VPSUBD Y10, Y8, Y15 \
	ODD(Y7, Y6, Y5, Y4) \
	VPBROADCASTD round, Y1 \
	VMOVQ shift, X3 \
	VPADDD Y1, Y7, Y9 \
	VPADDD Y1, Y14, Y10 \
	VPADDD Y1, Y6, Y11 \
	VPADDD Y1, Y5, Y13 \
	VPADDD Y1, Y15, Y14 \
	VPADDD Y1, Y4, Y15 \
	VMOVDQA Y0, Y8 \
	VMOVDQA Y2, Y12 \
	VPSRAD X3, Y9, Y9 \
	VPSRAD X3, Y10, Y10 \
	VPSRAD X3, Y11, Y11 \
	VPSRAD X3, Y13, Y13 \
	VPSRAD X3, Y14, Y14 \
	VPSRAD X3, Y15, Y15

#define LOADROW(y) \
	VPMOVZXWD (DI), y \
	VPSUBD Y7, y, y \
	ADDQ SI, DI

// func fdctAVX2(c *[64]int32, in *uint16, stride int, p *fdctShifts)
TEXT ·fdctAVX2(SB), NOSPLIT, $0-32
	MOVQ c+0(FP), AX
	MOVQ in+8(FP), DI
	MOVQ stride+16(FP), SI
	MOVQ p+24(FP), BX
	SHLQ $1, SI
	VPBROADCASTD 0(BX), Y7
	LOADROW(Y8)
	LOADROW(Y9)
	LOADROW(Y10)
	LOADROW(Y11)
	LOADROW(Y12)
	LOADROW(Y13)
	LOADROW(Y14)
	LOADROW(Y15)
	TRANSPOSE
	FORWARD(4(BX), 16(BX))
	VMOVQ 32(BX), X3
	VPSLLD X3, Y8, Y8
	VPSLLD X3, Y12, Y12
	TRANSPOSE
	FORWARD(8(BX), 24(BX))
	VMOVQ 32(BX), X3
	VPBROADCASTD 12(BX), Y1
	VPADDD Y1, Y8, Y8
	VPADDD Y1, Y12, Y12
	VPSRAD X3, Y8, Y8
	VPSRAD X3, Y12, Y12
	VMOVDQU Y8, 0(AX)
	VMOVDQU Y9, 32(AX)
	VMOVDQU Y10, 64(AX)
	VMOVDQU Y11, 96(AX)
	VMOVDQU Y12, 128(AX)
	VMOVDQU Y13, 160(AX)
	VMOVDQU Y14, 192(AX)
	VMOVDQU Y15, 224(AX)
	VZEROUPPER
	RET

// DIVIDE quantizes eight coefficients: the magnitude plus half a step, times the step's
// reciprocal of 32 bits, the upper half of that, with the sign. The even and the odd lanes
// are multiplied apart.
#define DIVIDE(at, y) \
	VMOVDQU at(AX), Y0 \
	VMOVDQU at(DX), Y2 \
	VPABSD Y0, Y1 \
	VPADDD at(CX), Y1, Y1 \
	VPSRLQ $32, Y1, Y3 \
	VPSRLQ $32, Y2, Y4 \
	VPMULUDQ Y2, Y1, Y1 \
	VPMULUDQ Y4, Y3, Y3 \
	VPSRLQ $32, Y1, Y1 \
	VPBLENDD $0xaa, Y3, Y1, Y1 \
	VPSIGND Y0, Y1, y

#define PACK(at, a, b, y) \
	VPACKSSDW b, a, y \
	VPERMQ $0xd8, y, y \
	VMOVDQU y, at(DI)

// func quantizeAVX2(out *[64]int16, f *[64]int32, half, magic *[64]uint32) (zero uint64)
TEXT ·quantizeAVX2(SB), NOSPLIT, $0-40
	MOVQ out+0(FP), DI
	MOVQ f+8(FP), AX
	MOVQ half+16(FP), CX
	MOVQ magic+24(FP), DX
	DIVIDE(0, Y8)
	DIVIDE(32, Y9)
	DIVIDE(64, Y10)
	DIVIDE(96, Y11)
	DIVIDE(128, Y12)
	DIVIDE(160, Y13)
	DIVIDE(192, Y14)
	DIVIDE(224, Y15)
	PACK(0, Y8, Y9, Y0)
	PACK(32, Y10, Y11, Y1)
	PACK(64, Y12, Y13, Y2)
	PACK(96, Y14, Y15, Y3)
	VPXOR Y4, Y4, Y4
	VPCMPEQW Y4, Y0, Y0
	VPCMPEQW Y4, Y1, Y1
	VPCMPEQW Y4, Y2, Y2
	VPCMPEQW Y4, Y3, Y3
	VPACKSSWB Y1, Y0, Y0
	VPACKSSWB Y3, Y2, Y2
	VPERMQ $0xd8, Y0, Y0
	VPERMQ $0xd8, Y2, Y2
	VPMOVMSKB Y0, AX
	VPMOVMSKB Y2, BX
	SHLQ $32, BX
	ORQ BX, AX
	MOVQ AX, zero+32(FP)
	VZEROUPPER
	RET
