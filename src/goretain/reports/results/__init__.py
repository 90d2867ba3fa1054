"""What the commands answer: structs that every report format renders and that
are the JSON schema, one file for each command.

Here and not in ``model``: they are the shape of a report, and nothing below needs them. Sizes are bytes,
shares two counts that a reader can round; None is "unknown", never 0. Imports this package.
"""

from goretain.reports.results.chains import ChainNode, ChainsReport
from goretain.reports.results.diff import (
    By,
    Course,
    DiffReport,
    FindingRow,
    GrowthRow,
    Matched,
    SurvivorRow,
)
from goretain.reports.results.doctor import Check, DoctorReport
from goretain.reports.results.explain import ExplainReport
from goretain.reports.results.gate import (
    GateBase,
    GateBenchmark,
    GatePackage,
    GateReport,
    KnownSite,
    PerIteration,
    RetainedRow,
    StandingLeft,
)
from goretain.reports.results.goroutines import GoroutineRow, GoroutineSection
from goretain.reports.results.growth import GrowthReport, Run, TrendRow
from goretain.reports.results.lab import LabClaim, LabFeature, LabReport, LabRun, Value
from goretain.reports.results.memory import RssPart, RssSection, SpanRow, SpanSection
from goretain.reports.results.parts import Look, Part, Sampling, TypeSum
from goretain.reports.results.profile import (
    BenchmarkRow,
    CollectionSection,
    HeapSection,
    HeldBy,
    ProfileDiffReport,
    ProfileFile,
    ProfileReport,
    SiteChange,
    SiteRow,
    StandingChange,
    StandingRow,
    StandingSection,
    ValueRow,
    ValueSection,
)
from goretain.reports.results.query import QueryColumn, QueryReport
from goretain.reports.results.remedy import (
    AddedFile,
    RemedyAddReport,
    RemedyReport,
    RemedyRow,
    RemedySource,
)
from goretain.reports.results.rule import Rule, RuleReport
from goretain.reports.results.schema import SchemaField, SchemaFile, SchemaReport, SchemaType
from goretain.reports.results.trace import (
    CauseRow,
    CollectorSection,
    CycleRow,
    StateRow,
    TracedTypeRow,
    TraceReport,
    UnendedRow,
)
from goretain.reports.results.watch import MemoryTrend, StandingTrend, TargetReport, WatchReport
from goretain.reports.results.why import (
    Coverage,
    HeapFacts,
    HolderRow,
    KeeperRow,
    NotJudged,
    SharedRow,
    WhatIf,
    WhyReport,
)

__all__ = [
    "AddedFile",
    "BenchmarkRow",
    "By",
    "CauseRow",
    "ChainNode",
    "ChainsReport",
    "Check",
    "CollectionSection",
    "CollectorSection",
    "Course",
    "Coverage",
    "CycleRow",
    "DiffReport",
    "DoctorReport",
    "ExplainReport",
    "FindingRow",
    "GateBase",
    "GateBenchmark",
    "GatePackage",
    "GateReport",
    "GoroutineRow",
    "GoroutineSection",
    "GrowthReport",
    "GrowthRow",
    "HeapFacts",
    "HeapSection",
    "HeldBy",
    "HolderRow",
    "KeeperRow",
    "KnownSite",
    "LabClaim",
    "LabFeature",
    "LabReport",
    "LabRun",
    "Look",
    "Matched",
    "MemoryTrend",
    "NotJudged",
    "Part",
    "PerIteration",
    "ProfileDiffReport",
    "ProfileFile",
    "ProfileReport",
    "QueryColumn",
    "QueryReport",
    "RemedyAddReport",
    "RemedyReport",
    "RemedyRow",
    "RemedySource",
    "RetainedRow",
    "RssPart",
    "RssSection",
    "Rule",
    "RuleReport",
    "Run",
    "Sampling",
    "SchemaField",
    "SchemaFile",
    "SchemaReport",
    "SchemaType",
    "SharedRow",
    "SiteChange",
    "SiteRow",
    "SpanRow",
    "SpanSection",
    "StandingChange",
    "StandingLeft",
    "StandingRow",
    "StandingSection",
    "StandingTrend",
    "StateRow",
    "SurvivorRow",
    "TargetReport",
    "TraceReport",
    "TracedTypeRow",
    "TrendRow",
    "TypeSum",
    "UnendedRow",
    "Value",
    "ValueRow",
    "ValueSection",
    "WatchReport",
    "WhatIf",
    "WhyReport",
]
