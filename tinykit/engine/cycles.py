"""Estimated cycles of Cortex-M4F code, one basic block at a time.

The model is the instruction timing table of the Arm Cortex-M4 Technical Reference Manual
(r0p1, section 3.3.1, and 3.3.2-3.3.3 on pairing of loads and stores; 7.2.3 for the FPU), with
P, the cost of refilling the pipeline, taken as 2:

===========================  =========================================================
data processing, multiply     1 (also MLA, SMULL, SMLAD and the other DSP instructions)
division                      7 (the manual says 2 to 12, depending on the operands)
LDR and its narrow forms      2; 1 right after another LDR whose result is not its address
STR, immediate offset         1 (the write buffer takes it)
STR, register offset          2; 1 right after an LDR
LDM, POP, STM, PUSH, LDRD     1 + registers, + 2 when PC is loaded
branch                        1 not taken, 3 taken; TBB and TBH 4
instruction that IT skips     1
VADD, VSUB, VMUL, VCVT        1; VMLA and its kin 3; VDIV, VSQRT 14
VLDR, VSTR                    2 single, 3 double; VLDM, VPUSH 1 + words
===========================  =========================================================

What it leaves out: flash wait states and the nRF52840's instruction cache (zero wait states are
assumed), contention on the bus, the stall of an address computed by the instruction just before,
unaligned accesses, and that an IT-skipped load costs 1 and not 2. On code that runs from cache
expect the truth within about 10 per cent; so every number shown is called estimated.
"""

from __future__ import annotations

from functools import lru_cache

from ..errors import ModelError

PIPELINE_REFILL = 2
DIVISION = 7


def block_cost(code: bytes, address: int) -> tuple[int, int, int]:
    """Cost of one basic block.

    Parameters
    ----------
    code : bytes
        Thumb-2 instructions; only the last may be a branch.
    address : int
        Where they lie (bit 0 clear).

    Returns
    -------
    instructions, cycles, extra : int
        ``cycles`` holds when a conditional branch at the end is not taken; when it is taken,
        ``extra`` is added. An unconditional branch is in ``cycles``.

    Raises
    ------
    ModelError
        The bytes are not Cortex-M4F instructions.
    """
    instructions = cycles = done = 0
    extra = 0
    loaded = None  # register that the instruction before loaded, if it was a single load
    for instruction in _decoder().disasm(code, address):
        instructions += 1
        done += instruction.size
        cost, extra, loaded = _instruction(instruction, loaded)
        cycles += cost
    if done != len(code):
        raise ModelError(
            f"The bytes at {address + done:#x} are not an instruction of the Cortex-M4F.",
            "If this image was built by tinykit, please report it.",
        )
    return instructions, cycles, extra


@lru_cache(maxsize=1)
def _decoder():
    import capstone

    decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    decoder.detail = True
    return decoder


@lru_cache(maxsize=1)
def _kinds() -> dict[int, str]:
    """Instruction id -> row of the table above; what is not here costs one cycle."""
    from capstone import arm

    rows = {
        "load": "LDR LDRB LDRH LDRSB LDRSH LDRT LDRBT LDRHT LDRSBT LDRSHT LDREX LDREXB LDREXH",
        "store": "STR STRB STRH STRT STRBT STRHT",
        "multiple": "LDM LDMDB LDMIB LDMDA POP STM STMDB STMIB STMDA PUSH",
        "pair": "LDRD STRD STREX STREXB STREXH",
        "divide": "SDIV UDIV",
        "branch": "B BX BL BLX CBZ CBNZ",
        "table": "TBB TBH",
        "vload": "VLDR VSTR",
        "vmultiple": "VLDMIA VLDMDB VSTMIA VSTMDB VPUSH VPOP",
        "vdivide": "VDIV VSQRT",
        "vmla": "VMLA VMLS VNMLA VNMLS VFMA VFMS VFNMA VFNMS",
        "vmov": "VMOV",
    }
    return {getattr(arm, "ARM_INS_" + name): row for row, names in rows.items() for name in names.split()}


def _instruction(instruction, loaded):
    """``(cycles, extra when taken, register loaded)`` of one instruction."""
    from capstone import arm

    kind = _kinds().get(instruction.id, "one")
    operands = instruction.operands
    conditional = instruction.cc not in (arm.ARM_CC_AL, arm.ARM_CC_INVALID)
    first = operands[0].reg if operands and operands[0].type == arm.ARM_OP_REG else None
    memory = next((o.mem for o in operands if o.type == arm.ARM_OP_MEM), None)
    cost, jump = 1, False

    if kind == "branch":
        jump = True
        conditional |= instruction.id in (arm.ARM_INS_CBZ, arm.ARM_INS_CBNZ)
    elif kind == "table":
        cost, jump = 2, True
    elif kind == "load":
        depends = loaded is None or loaded in (memory.base, memory.index)
        cost = 2 if depends else 1
        jump = first == arm.ARM_REG_PC
    elif kind == "store":
        cost = 2 if memory.index and loaded is None else 1
    elif kind == "multiple":
        # The base register of LDM and STM is the first operand; PUSH and POP have none.
        registers = [o.reg for o in operands]
        if instruction.id not in (arm.ARM_INS_PUSH, arm.ARM_INS_POP):
            registers = registers[1:]
        cost = 1 + len(registers)
        jump = instruction.reg_name(registers[-1]) == "pc" and instruction.id not in (arm.ARM_INS_PUSH,)
    elif kind == "pair":
        cost = 2 if instruction.mnemonic.startswith("strex") else 3
    elif kind == "divide":
        cost = DIVISION
    elif kind == "vload":
        cost = 3 if instruction.reg_name(first).startswith("d") else 2
    elif kind == "vmultiple":
        names = [instruction.reg_name(o.reg) for o in operands]
        cost = 1 + sum({"s": 1, "d": 2}.get(n[0], 0) for n in names if n != "sp")
    elif kind == "vdivide":
        cost = 14
    elif kind == "vmla":
        cost = 3
    elif kind == "vmov":
        cost = 2 if len(operands) > 2 else 1
    else:
        jump = first == arm.ARM_REG_PC  # MOV pc, ADD pc

    if jump:
        if conditional:
            return 1, cost - 1 + PIPELINE_REFILL, None
        cost += PIPELINE_REFILL
    return cost, 0, first if kind == "load" else None
