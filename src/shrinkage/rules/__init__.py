"""Which penalty governs which parameter, and in what metric: nothing here names a framework."""

from shrinkage.records.text import text_table
from shrinkage.rules.checks import check_counts, check_fit
from shrinkage.rules.config import (
    penalty_from_dict,
    penalty_to_dict,
    rules_from_dict,
    rules_from_toml,
    rules_to_dict,
    rules_to_toml,
)
from shrinkage.rules.folded import Folded, FoldedRow
from shrinkage.rules.gates import Gates
from shrinkage.rules.heads import attention_heads
from shrinkage.rules.joint import apart, together
from shrinkage.rules.measure import gradient_ratio, summary_of, summary_row, violation
from shrinkage.rules.metrics import Moments, momentum_step, proximal
from shrinkage.rules.rule import FORMS, Rule, Rules, as_rules, describe
from shrinkage.rules.schedules import SCHEDULES, Cosine, Cubic, WarmUp
from shrinkage.rules.selection import Choice, select
from shrinkage.rules.share import Share
from shrinkage.rules.summary import Summary, SummaryRow
from shrinkage.rules.table import selection_table
from shrinkage.rules.where import Candidate

__all__ = [
    "FORMS",
    "SCHEDULES",
    "Candidate",
    "Choice",
    "Cosine",
    "Cubic",
    "Folded",
    "FoldedRow",
    "Gates",
    "Moments",
    "Rule",
    "Rules",
    "Share",
    "Summary",
    "SummaryRow",
    "WarmUp",
    "apart",
    "as_rules",
    "attention_heads",
    "check_counts",
    "check_fit",
    "describe",
    "gradient_ratio",
    "momentum_step",
    "penalty_from_dict",
    "penalty_to_dict",
    "proximal",
    "rules_from_dict",
    "rules_from_toml",
    "rules_to_dict",
    "rules_to_toml",
    "select",
    "selection_table",
    "summary_of",
    "summary_row",
    "text_table",
    "together",
    "violation",
]
