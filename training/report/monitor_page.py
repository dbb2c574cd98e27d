"""The page of one look at the churn model: findings by urgency, one file without anything beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from training.report.page import environment, write_page
from training.report.words import Both

_ORDER: Final = ("red", "yellow", "blue", "fine")
_HEADLINES: Final[Mapping[str, Both]] = {
    "fine": Both("The churn model is as it was", "流失模型运行正常"),
    "blue": Both("The churn model is worth a look", "流失模型值得留意"),
    "yellow": Both("The churn model should be trained again soon", "流失模型应尽快重新训练"),
    "red": Both("Do not act on the scores before somebody has looked", "在人工核查之前，请勿依据评分行动"),
}
#: The parts of the page in their order: what findings are about, its title, and what it tells.
_PARTS: Final = (
    (
        ("calibration", "ranking"),
        Both("Did it come true", "预测是否兑现"),
        Both(
            "Scores whose window has closed, beside what people did. Hold-out users judge alone where there are "
            "enough: contacting keeps people, which looks like a wrong forecast.",
            "观察窗口已闭合的评分与实际行为的对比。对照组人数足够时仅用对照组：触达会留住用户，看起来像预测错误。",
        ),
    ),
    (
        ("segment",),
        Both("Where many leave", "流失集中的分群"),
        Both("Stages of life of which more left than the mall allows.", "流失率超过商城上限的生命周期阶段。"),
    ),
    (
        ("scores", "expected", "age"),
        Both("What the model says now", "模型当前的判断"),
        Both(
            "How far the probabilities moved since training, and what they promise: if they are right, these are their "
            "AUC, log-loss and Brier score.",
            "概率自训练以来的偏移，以及其承诺：若概率准确，AUC、对数损失与 Brier 即为此值。",
        ),
    ),
    (
        ("inputs",),
        Both("What the model reads", "模型读取的数据"),
        Both(
            "PSI without what chance explains, so that many users alone raise no alarm. Below .1 little has moved, "
            "above .25 much.",
            "扣除偶然因素后的 PSI，用户数量多本身不会触发警报。低于 0.1 变化很小，高于 0.25 变化很大。",
        ),
    ),
)


def render_monitor(result: Mapping[str, Any]) -> str:
    """The page of a look (what ``mallard monitor --out`` writes) as HTML; computes nothing."""
    findings = sorted(result["findings"], key=lambda finding: _ORDER.index(finding["level"]))
    parts = [
        (title, said, [finding for finding in findings if finding["about"] in about]) for about, title, said in _PARTS
    ]
    return (
        environment()
        .get_template("monitor.html")
        .render(result=result, headline=_HEADLINES[result["level"]], parts=[part for part in parts if part[2]])
    )


def write_monitor_page(result: Mapping[str, Any], path: Path) -> None:
    """Write the page of ``result`` to ``path``, whole or not at all."""
    write_page(render_monitor(result), path)
