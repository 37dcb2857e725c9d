//go:build !noasm

#include "go_asm.h"
#include "textflag.h"

// The low halves of lanes 0, 2, 1 and 3: the samples of a quad by rows.
DATA byRows<>+0(SB)/8, $0x0000000400000000
DATA byRows<>+8(SB)/8, $0x0000000600000002
DATA byRows<>+16(SB)/8, $0
DATA byRows<>+24(SB)/8, $0
GLOBL byRows<>(SB), RODATA|NOPTR, $32

// func quadsAVX2(l *quadLine)
TEXT ·quadsAVX2(SB), NOSPLIT, $0-8
	MOVQ l+0(FP), DI
	MOVQ quadLine_quads(DI), SI
	MOVQ quadLine_lower(DI), R10
	MOVQ quadLine_above(DI), R11
	MOVQ quadLine_mag(DI), R12
	MOVQ quadLine_at(DI), R13
	MOVQ quadLine_last(DI), R14
	MOVQ quadLine_q(DI), BX
	VMOVDQU byRows<>(SB), Y11
	VMOVQ quadLine_plane(DI), X12
	VPCMPEQD Y15, Y15, Y15
	VPSRLQ $63, Y15, Y14 // ones
	VPADDQ Y14, Y14, Y13 // twos

next:
	CMPQ BX, quadLine_n(DI)
	JGE done
	MOVL (SI)(BX*4), AX
	MOVL AX, CX
	SHRL $4, CX
	ANDL $15, CX // which are significant
	MOVQ BX, DX
	SHLQ $4, DX
	TESTL CX, CX
	JZ quiet

	// The exponent, by what the four samples above have of bits.
	MOVQ 16(R10)(DX*1), R8
	ORQ R14, R8
	ORQ 24(R10)(DX*1), R8
	ORQ 32(R10)(DX*1), R8
	ORQ $2, R8
	BSRQ R8, R8
	MOVL $1, R15
	LEAL -1(CX), R9
	TESTL CX, R9
	CMOVLEQ R15, R8
	MOVL AX, R9
	SHRL $16, R9
	ADDL R8, R9
	CMPQ R9, quadLine_limit(DI)
	JHI done
	MOVQ 24(R10)(DX*1), R14
	MOVB CX, 1(R11)(BX*1)

	// The bits of the quad, broadcast, and how many each sample has of them.
	MOVQ R13, R8
	SHRQ $3, R8
	CMPQ R8, quadLine_end(DI)
	CMOVQHI quadLine_end(DI), R8
	MOVQ (R12)(R8*1), R8
	MOVL R13, R15
	ANDL $7, R15
	SHRXQ R15, R8, R8
	VMOVQ R8, X0
	VPBROADCASTQ X0, Y0
	VMOVQ R9, X1
	VPBROADCASTQ X1, Y1
	MOVL AX, R15
	SHRL $12, R15
	ANDL $15, R15 // whose highest bit is known
	POPCNTL CX, R8
	IMULQ R9, R8
	ADDQ R8, R13
	POPCNTL R15, R8
	SUBQ R8, R13
	SHRL $8, AX
	ANDL $15, AX // and is one
	SHLL $5, AX
	SHLL $5, CX
	SHLL $5, R15
	MOVQ quadLine_masks(DI), R8
	VMOVDQU (R8)(CX*1), Y2
	VPADDQ (R8)(R15*1), Y1, Y3
	VPAND Y2, Y3, Y3
	VMOVDQU (R8)(AX*1), Y4
	MOVQ quadLine_before(DI), R8
	VPMULUDQ (R8)(CX*1), Y1, Y5
	VPSUBQ (R8)(R15*1), Y5, Y5
	VPSRLVQ Y5, Y0, Y0
	VPSLLVQ Y3, Y15, Y6
	VPANDN Y0, Y6, Y0
	VPSRLQ $63, Y4, Y4
	VPSLLVQ Y3, Y4, Y4
	VPOR Y4, Y0, Y0

	// What the next line needs of the lower two.
	VPSRLQ $63, Y2, Y5
	VPOR Y5, Y0, Y5
	VPERMQ $0x0d, Y5, Y5
	VMOVDQU X5, 16(R10)(DX*1)

	// The coefficients.
	VPSLLQ $31, Y0, Y6
	VPOR Y14, Y0, Y0
	VPADDQ Y13, Y0, Y0
	VPSLLQ X12, Y0, Y0
	VPOR Y6, Y0, Y0
	VPAND Y2, Y0, Y0
	VPERMD Y0, Y11, Y0
	MOVQ quadLine_top(DI), R8
	VMOVQ X0, (R8)(BX*8)
	MOVQ quadLine_low(DI), R8
	VPEXTRQ $1, X0, (R8)(BX*8)
	INCQ BX
	JMP next

quiet:
	MOVQ 24(R10)(DX*1), R14
	MOVB CX, 1(R11)(BX*1)
	MOVQ CX, 16(R10)(DX*1)
	MOVQ CX, 24(R10)(DX*1)
	INCQ BX
	JMP next

done:
	MOVQ BX, quadLine_q(DI)
	MOVQ R13, quadLine_at(DI)
	MOVQ R14, quadLine_last(DI)
	VZEROUPPER
	RET
