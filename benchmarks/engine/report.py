"""The figures as Markdown: the design's section 4 with our column beside it."""

from __future__ import annotations

import tflm


def report(rows: list[dict], gcc: str | None, layers: bool = False) -> str:
    """Tables: costs, ratios to TensorFlow Lite Micro against the aims, exactness, what was refused."""
    known = [row for row in rows if "refused" not in row]
    parts = [_costs(known, gcc), _ratios(known), _exactness(known)]
    if gcc is None:
        parts.append("arm-none-eabi-gcc is not installed here: nothing was measured with GCC.")
    refused = [row for row in rows if "refused" in row]
    if refused:
        parts.append("\n".join(["Refused:", *(f"- {row['model']}: {row['refused']}" for row in refused)]))
    if layers:
        parts += [_layers(row) for row in known]
    return "\n\n".join(part for part in parts if part)


def _table(head, lines) -> str:
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*out, *("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)])


def _costs(rows, gcc) -> str:
    head = ["model", "MACs", "instructions (TFLM)", "est. cycles (TFLM)", "a MAC",
            f"est. cycles, GCC {gcc or ''}".strip(), "arena (TFLM)", "code flash (TFLM)", "code, GCC",
            "plan bytes"]  # fmt: skip
    lines = []
    for row in rows:
        theirs, mine, other = tflm.FIGURES.get(row["macs"]), row["clang"], row.get("gcc")

        def pair(value, name, theirs=theirs):
            return f"{value:,} ({getattr(theirs, name):,})" if theirs else f"{value:,}"

        lines.append([
            row["model"], f"{row['macs']:,}", pair(mine["instructions"], "instructions"),
            pair(mine["cycles_estimated"], "cycles"),
            f"{mine['cycles_estimated'] / row['macs']:.2f}" if row["macs"] else "",
            f"{other['cycles_estimated']:,}" if other else "", pair(row["arena"], "arena"),
            pair(mine["code_flash"], "flash"), f"{other['code_flash']:,}" if other else "", f"{row['plan_bytes']:,}",
        ])  # fmt: skip
    return _table(head, lines) if lines else ""


def _ratios(rows) -> str:
    """Ours by theirs; what an aim asks for that is not reached is marked."""
    lines = []
    for row in rows:
        theirs = tflm.FIGURES.get(row["macs"])
        if theirs is None:
            continue
        cycles = {name: row[name]["cycles_estimated"] for name in ("clang", "gcc") if name in row}
        most = theirs.cycles_aim or tflm.CYCLES_AIM * theirs.cycles
        arena = theirs.arena_aim or tflm.ARENA_AIM * theirs.arena
        flash = theirs.flash_aim
        lines.append([
            f"{row['model']} ({theirs.name})",
            *(_against(cycles[name], theirs.cycles, most) if name in cycles else "" for name in ("clang", "gcc")),
            f"{most:,.0f}", _against(row["arena"], theirs.arena, arena), f"{arena:,.0f}",
            _against(row["clang"]["code_flash"], theirs.flash, flash or theirs.flash), f"{flash:,}" if flash else "",
        ])  # fmt: skip
    head = ["times TFLM", "cycles", "GCC's", "aim", "arena", "aim", "code flash", "aim"]
    return _table(head, lines) if lines else ""


def _against(value, theirs, aim) -> str:
    return f"{value / theirs:.2f}" + ("" if value <= aim else " (missed)")


def _exactness(rows) -> str:
    lines = []
    for row in rows:
        cores = [name for name in ("clang", "gcc") if name in row]
        same = [name for name in cores if row[name]["answers_as_this_computer"]]
        lines.append([
            row["model"], *(f"{row[f'{k}_wrong']} of {row[f'{k}_values']:,} ({row[f'{k}_inputs']} inputs)"
                            for k in ("random", "realistic")),
            row["realistic"], f"{len(same)} of {len(cores)}",
        ])  # fmt: skip
    head = ["values that differ from tflite-micro", "random", "realistic", "which are", "cores that answer alike"]
    return _table(head, lines) if lines else ""


def _layers(row) -> str:
    lines = []
    for number, layer in enumerate(row["clang"]["layers"]):
        gcc = row["gcc"]["layers"][number]["cycles_estimated"] if "gcc" in row else None
        cycles, macs = layer["cycles_estimated"], layer["macs"]
        lines.append([number, layer["name"], layer["kind"], f"{macs:,}", f"{cycles:,}",
                      f"{cycles / macs:.2f}" if macs else "", f"{gcc:,}" if gcc else ""])  # fmt: skip
    head = [f"{row['model']}, layer", "name", "kernel", "MACs", "est. cycles", "a MAC", "GCC"]
    return _table(head, lines)
