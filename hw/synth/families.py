# SPDX-License-Identifier: Apache-2.0
"""FPGA families: how Yosys synthesizes for one, which of its cells count as what, and devices of it."""
import re

COLUMNS = ("lut", "ff", "carry", "lutram", "bram", "dsp")


class Family:
    """`cells`: a pattern of the cell's name, its column, and how many of the column's unit it is. What
    matches none costs nothing of these (wide multiplexers and clock buffers)."""

    def __init__(self, command, units, cells, carry_luts, devices):
        self.command, self.units, self.cells = command, units, cells
        self.carry_luts, self.devices = carry_luts, devices

    def count(self, cells):
        """Cells by name, as columns."""
        out = dict.fromkeys(COLUMNS, 0)
        for name, number in cells.items():
            for pattern, column, weight in self.cells:
                if re.fullmatch(pattern, name):
                    out[column] += number * weight
                    break
        return out

    def demand(self, row):
        """What a device has to have for a row of columns."""
        return {"lut": row["lut"] + row["lutram"] + self.carry_luts * row["carry"], "ff": row["ff"],
                "bram": row["bram"], "dsp": row["dsp"]}


# The commands stop before their last step, which only renames and counts.
# iCE40: never -dsp, which Yosys 0.23 gets wrong. A carry is beside its LUT.
ICE40 = Family(
    "synth_ice40 -noflatten -run :check",
    {"lut": "SB_LUT4", "ff": "SB_DFF*", "carry": "SB_CARRY", "lutram": "none", "bram": "SB_RAM40_4K, 4 kbit",
     "dsp": "SB_MAC16, never inferred"},
    [("SB_LUT4", "lut", 1), ("SB_DFF.*", "ff", 1), ("SB_CARRY", "carry", 1), ("SB_RAM40_4K.*", "bram", 1),
     ("SB_MAC16", "dsp", 1)],
    0,
    {"iCE40UP5K": {"lut": 5280, "ff": 5280, "bram": 30, "dsp": 8},
     "iCE40HX8K": {"lut": 7680, "ff": 7680, "bram": 32, "dsp": 0}})

# ECP5: a CCU2C takes the place of two LUTs, a TRELLIS_DPR16X4 of six: four that hold it, two for its address.
ECP5 = Family(
    "synth_ecp5 -noflatten -run :check",
    {"lut": "LUT4", "ff": "TRELLIS_FF", "carry": "CCU2C, of 2 LUTs", "lutram": "LUTs of TRELLIS_DPR16X4",
     "bram": "DP16KD, 18 kbit", "dsp": "MULT18X18D"},
    [("LUT4", "lut", 1), ("TRELLIS_FF", "ff", 1), ("CCU2C", "carry", 1), ("TRELLIS_DPR16X4", "lutram", 6),
     ("DP16KD|PDPW16KD", "bram", 1), ("MULT18X18D", "dsp", 1)],
    2,
    {"ECP5-25F": {"lut": 24288, "ff": 24288, "bram": 56, "dsp": 28},
     "ECP5-45F": {"lut": 43848, "ff": 43848, "bram": 108, "dsp": 72},
     "ECP5-85F": {"lut": 83640, "ff": 83640, "bram": 208, "dsp": 156}})

# 7 series: a CARRY4 is beside its LUTs. RAM32M and the like take LUTs of a slice that can be memory.
XC7 = Family(
    "synth_xilinx -family xc7 -noiopad -noclkbuf -run :check",
    {"lut": "LUT1 .. LUT6", "ff": "FD*", "carry": "CARRY4", "lutram": "LUTs of RAM*, SRL*",
     "bram": "RAMB36E1, 36 kbit; RAMB18E1 is half", "dsp": "DSP48E1"},
    [("LUT[1-6]", "lut", 1), ("FD.E.*", "ff", 1), ("CARRY4", "carry", 1), ("SRL.*", "lutram", 1),
     ("RAM(32M|64M|128X1D|256X1S)", "lutram", 4), ("RAM(32X1D|64X1D|128X1S)", "lutram", 2),
     ("RAM(32X1S|64X1S)", "lutram", 1), ("RAMB36E1", "bram", 1), ("RAMB18E1", "bram", 0.5),
     ("DSP48E1", "dsp", 1)],
    0,
    {"XC7Z020": {"lut": 53200, "ff": 106400, "bram": 140, "dsp": 220},
     "XC7A200T": {"lut": 133800, "ff": 267600, "bram": 365, "dsp": 740},
     "XC7K325T": {"lut": 203800, "ff": 407600, "bram": 445, "dsp": 840},
     "XC7VX690T": {"lut": 433200, "ff": 866400, "bram": 1470, "dsp": 3600}})

FAMILIES = {"ice40": ICE40, "ecp5": ECP5, "xc7": XC7}
OF_POINT = {"tiny": "ice40", "ecp5": "ecp5", "default": "xc7", "wide": "xc7", "batch2": "xc7"}
