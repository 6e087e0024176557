"""Penalties and constraints: what a solution is asked to be, in one vocabulary.

Each file of :data:`PENALTIES` and :data:`CONSTRAINTS` is one idea: the penalty, its ball, its array form and its
scalar form together. The law tests, the documentation's table and the command line's names run over these lists, so
that a new penalty is one file and one line here.
"""

from shrinkage.penalties.balls import NormBall
from shrinkage.penalties.base import EXAMPLE_SHAPE, Constraint, Penalty, Proximable, Traits
from shrinkage.penalties.box import Box, NonNegative
from shrinkage.penalties.composite import Composite
from shrinkage.penalties.counts import CountBall
from shrinkage.penalties.elastic_net import ElasticNet, ElasticNetBall
from shrinkage.penalties.group_l0 import GroupL0, GroupL0Ball
from shrinkage.penalties.group_l2 import GroupL2, GroupL2Ball
from shrinkage.penalties.l0 import L0, L0Ball
from shrinkage.penalties.l1 import L1, L1Ball
from shrinkage.penalties.l2 import L2, L2Ball
from shrinkage.penalties.max_norm import MaxNorm
from shrinkage.penalties.mcp import MCP
from shrinkage.penalties.priors import Prior
from shrinkage.penalties.scad import SCAD
from shrinkage.penalties.separable import Separable
from shrinkage.penalties.sparse_group import SparseGroup
from shrinkage.penalties.sums import SUMS, BallSum, GroupedSum, GroupL0Sum, Sum

PENALTIES: tuple[type[Penalty], ...] = (
    L0, L1, L2, ElasticNet, GroupL0, GroupL2, SparseGroup, MCP, SCAD, Box, NonNegative, *SUMS,
)  # fmt: skip
CONSTRAINTS: tuple[type[Constraint], ...] = (
    L0Ball, L1Ball, L2Ball, ElasticNetBall, GroupL0Ball, GroupL2Ball, MaxNorm,
)  # fmt: skip

__all__ = [
    "CONSTRAINTS",
    "EXAMPLE_SHAPE",
    "L0",
    "L1",
    "L2",
    "MCP",
    "PENALTIES",
    "SCAD",
    "SUMS",
    "BallSum",
    "Box",
    "Composite",
    "Constraint",
    "CountBall",
    "ElasticNet",
    "ElasticNetBall",
    "GroupL0",
    "GroupL0Ball",
    "GroupL0Sum",
    "GroupL2",
    "GroupL2Ball",
    "GroupedSum",
    "L0Ball",
    "L1Ball",
    "L2Ball",
    "MaxNorm",
    "NonNegative",
    "NormBall",
    "Penalty",
    "Prior",
    "Proximable",
    "Separable",
    "SparseGroup",
    "Sum",
    "Traits",
]
