//go:build !noasm

#include "go_asm.h"
#include "textflag.h"

// EXPONENTS leaves of the samples in s, not 0 where on, how many bits each has, in e.
#define EXPONENTS(s, on, e, t) \
	VPOR Y14, s, e \
	VPAND on, e, e \
	VPSRLD $1, e, t \
	VPANDN e, t, e \
	VCVTDQ2PS e, e \
	VPSLLD $1, e, e \
	VPSRLD $24, e, e \
	VPSUBD Y12, e, e \
	VPAND on, e, e

// QUADS writes what there is to know of the quads in the two halves of s and e, the second
// two quads behind the first.
#define QUADS(s, xs, e, m, xm, t, at) \
	VPMOVZXDQ xs, t \
	VMOVDQU t, (quad_s+at)(DI) \
	VEXTRACTI128 $1, s, X11 \
	VPMOVZXDQ X11, t \
	VMOVDQU t, (quad_s+at+2*quad__size)(DI) \
	VPSHUFD $0x4e, e, t \
	VPMAXSD t, e, m \
	VPSHUFD $0xb1, m, t \
	VPMAXSD t, m, m \
	VMOVD xm, (quad_exp+at)(DI) \
	VEXTRACTI128 $1, m, X11 \
	VMOVD X11, (quad_exp+at+2*quad__size)(DI) \
	VPCMPEQD e, m, t \
	VMOVMSKPS t, AX \
	MOVL AX, BX \
	SHRL $4, BX \
	ANDL $15, AX \
	MOVL AX, (quad_same+at)(DI) \
	MOVL BX, (quad_same+at+2*quad__size)(DI) \
	VPCMPGTD Y15, e, t \
	VMOVMSKPS t, AX \
	MOVL AX, BX \
	SHRL $4, BX \
	ANDL $15, AX \
	MOVL AX, (quad_rho+at)(DI) \
	MOVL BX, (quad_rho+at+2*quad__size)(DI)

// func loadQuadsAVX2(quads *quad, top, low *uint32, n int)
TEXT ·loadQuadsAVX2(SB), NOSPLIT, $0-32
	MOVQ quads+0(FP), DI
	MOVQ top+8(FP), SI
	MOVQ low+16(FP), DX
	MOVQ n+24(FP), CX
	VPXOR Y15, Y15, Y15
	VPCMPEQD Y14, Y14, Y14
	VPSRLD $31, Y14, Y14 // ones
	VPADDD Y14, Y14, Y13 // twos
	MOVL $126, AX
	VMOVD AX, X12
	VPBROADCASTD X12, Y12

load:
	VMOVDQU (SI), Y0
	VMOVDQU (DX), Y1
	VPSRLD $1, Y0, Y2
	VPSRLD $1, Y1, Y3
	VPCMPGTD Y15, Y2, Y2
	VPCMPGTD Y15, Y3, Y3
	VPSUBD Y13, Y0, Y0
	VPSUBD Y13, Y1, Y1
	VPAND Y2, Y0, Y0
	VPAND Y3, Y1, Y1
	EXPONENTS(Y0, Y2, Y4, Y6)
	EXPONENTS(Y1, Y3, Y5, Y6)
	VPUNPCKLDQ Y1, Y0, Y2
	VPUNPCKHDQ Y1, Y0, Y3
	VPUNPCKLDQ Y5, Y4, Y6
	VPUNPCKHDQ Y5, Y4, Y7
	QUADS(Y2, X2, Y6, Y8, X8, Y9, 0)
	QUADS(Y3, X3, Y7, Y8, X8, Y9, quad__size)
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $(4*quad__size), DI
	SUBQ $4, CX
	JG load
	VZEROUPPER
	RET

// func writeQuadsAVX2(s *bitSink, quads *quad, n int, masks, before *[16][4]uint64) (done int)
TEXT ·writeQuadsAVX2(SB), NOSPLIT, $0-48
	MOVQ s+0(FP), DI
	MOVQ quads+8(FP), SI
	MOVQ n+16(FP), DX
	MOVQ masks+24(FP), R10
	MOVQ before+32(FP), R11
	MOVQ bitSink_b(DI), R12
	MOVQ bitSink_at(DI), R13
	MOVQ bitSink_acc(DI), R14
	MOVQ bitSink_n(DI), BX
	XORQ R9, R9
	VPCMPEQD Y15, Y15, Y15

write:
	CMPQ R9, DX
	JGE written
	MOVL quad_rho(SI), CX
	TESTL CX, CX
	JZ nothing
	MOVL quad_u(SI), AX
	CMPL AX, $14 // four may be too much at a time
	JHI written
	VMOVQ AX, X1
	VPBROADCASTQ X1, Y1
	MOVL quad_code(SI), R15
	SHRL $12, R15
	ANDL CX, R15 // whose highest bit is known
	POPCNTL CX, R8
	IMULQ R8, AX
	POPCNTL R15, R8
	SUBQ R8, AX // bits of all
	SHLL $5, CX
	SHLL $5, R15
	VPADDQ (R10)(R15*1), Y1, Y3
	VPAND (R10)(CX*1), Y3, Y3
	VPMULUDQ (R11)(CX*1), Y1, Y5
	VPSUBQ (R11)(R15*1), Y5, Y5
	VPSLLVQ Y3, Y15, Y6
	VPANDN quad_s(SI), Y6, Y0
	VPSLLVQ Y5, Y0, Y0
	VEXTRACTI128 $1, Y0, X2
	VPOR X2, X0, X0
	VPSRLDQ $8, X0, X2
	VPOR X2, X0, X0
	VMOVQ X0, R8
	SHLXQ BX, R8, R8
	ORQ R8, R14
	MOVQ R14, (R12)(R13*1)
	ADDQ AX, BX
	MOVQ BX, AX
	SHRQ $3, AX
	ADDQ AX, R13
	MOVQ BX, AX
	ANDQ $0x38, AX
	SHRXQ AX, R14, R14
	ANDQ $7, BX

nothing:
	ADDQ $quad__size, SI
	INCQ R9
	JMP write

written:
	MOVQ R13, bitSink_at(DI)
	MOVQ R14, bitSink_acc(DI)
	MOVQ BX, bitSink_n(DI)
	MOVQ R9, done+40(FP)
	VZEROUPPER
	RET
