"""What a churn result says, in sentences. A difference is called one only when its whole interval lies on one side."""

from collections.abc import Mapping
from typing import Any, Final

from training.report.story import percent
from training.report.words import Both

Cutoff = Mapping[str, Any]

#: Models by the name they have in a result; one that is not here keeps its name.
MODELS: Final[Mapping[str, Both]] = {
    "churn": Both("the churn model", "流失模型"),
    "pipeline": Both("the churn model", "流失模型"),
    "recency": Both("days since the last time", "距上次天数"),
    "frequency": Both("how often so far", "历史次数"),
    "rfm_logistic": Both("recency, frequency, money", "RFM 逻辑回归"),
    "bg_nbd": Both("purchase rhythm (BG/NBD)", "购买节奏（BG/NBD）"),
    "pareto_nbd": Both("purchase rhythm (Pareto/NBD)", "购买节奏（Pareto/NBD）"),
}
#: What a fallback goes by.
RULES: Final[Mapping[str, Both]] = {
    "base_rate": Both("everybody has the risk that users had on the whole", "所有用户均取总体流失率"),
    "recency": Both("days since the last purchase", "距上次购买的天数"),
    "rhythm": Both("purchase rhythm (BG/NBD)", "购买节奏（BG/NBD）"),
}
TIERS: Final = {"red": Both("red", "红色"), "yellow": Both("yellow", "黄色"), "blue": Both("blue", "蓝色")}
_SIDES: Final = {
    "stage": Both("stage", "阶段"),
    "level": Both("member level", "会员等级"),
    "channel": Both("channel", "渠道"),
    "age": Both("age", "年龄"),
    "gender": Both("gender", "性别"),
    "region": Both("region", "地区"),
}
_VALUES: Final = {
    "new": Both("new", "新客"),
    "active": Both("active", "活跃"),
    "silent": Both("silent", "沉默"),
    "lost": Both("lost", "流失"),
    "others": Both("others", "其他"),
}
#: Mean probability and share to whom it happened differ by more than this for it to matter.
_BIAS: Final = 0.03


def model(name: str) -> Both:
    """A model in plain words."""
    return MODELS.get(name, Both(name, name))


def group(name: str) -> Both:
    """``stage: new`` in plain words."""
    side, _, value = name.partition(": ")
    said, shown = _SIDES.get(side, Both(side, side)), _VALUES.get(value, Both(value, value))
    return Both(f"{said.en}: {shown.en}", f"{said.zh}：{shown.zh}")


#: Moves of the base rate below this (log-odds) are not worth a word.
_NO_SHIFT: Final = 0.02


def headline(cutoff: Cutoff) -> Both:
    """The one sentence to remember."""
    paired, rival = cutoff["paired"], model(cutoff["paired"]["against"])
    if paired["low"] > 0:
        return Both(
            f"The churn model finds those about to leave better than the best simple rule ({rival.en})",
            f"流失模型比最好的简单规则（{rival.zh}）更能找出即将流失的用户",
        )
    if paired["high"] < 0:
        return Both(
            f"The best simple rule ({rival.en}) finds those about to leave better than the churn model",
            f"最好的简单规则（{rival.zh}）比流失模型更能找出即将流失的用户",
        )
    return Both(
        f"The churn model is not shown to differ from the best simple rule ({rival.en})",
        f"尚无证据表明流失模型与最好的简单规则（{rival.zh}）有差异",
    )


def fallback(cutoff: Cutoff) -> Both | None:
    """That a simple rule was judged, and why; None where a model was."""
    made = cutoff["choices"]
    if not made["fallback"]:
        return None
    why, rule = made["fallback_reason"], RULES[made["fallback_rule"]]
    return Both(
        f"No churn model can be fitted yet: {why['en']}. What is judged here is the simple rule that serves meanwhile: "
        f"{rule.en}.",
        f"暂时无法训练流失模型：{why['zh']}。此处评判的是暂代的简单规则：{rule.zh}。",
    )


def certainty(cutoff: Cutoff) -> Both:
    """What was asked, and between which bounds the lead lies."""
    paired, days = cutoff["paired"], f"{cutoff['horizon_days']:g}"
    low, high = (f"{100 * paired[part]:+.1f}" for part in ("low", "high"))
    users = f"{cutoff['eligible']:,}"
    return Both(
        f"Of {users} users on {cutoff['cutoff'][:10]}, {percent(cutoff['base_rate'])} had no {cutoff['event']} in the "
        f"{days} days after. Of two users, one who left and one who stayed, the model puts the right one first "
        f"{low} to {high} times more in a hundred (95 % certain).",
        f"{cutoff['cutoff'][:10]} 的 {users} 名用户中，{percent(cutoff['base_rate'])} 在之后 {days} 天内没有"
        f"{'购买' if cutoff['event'] == 'purchase' else ' ' + cutoff['event']}。"
        f"对一名流失与一名留存的用户，模型每百次多排对 {low} 至 {high} 次（95% 置信区间）。",
    )


def figures(cutoff: Cutoff) -> list[tuple[Both, str, str]]:
    """What it is, the model's value, the best simple rule's."""
    rows = {row["model"]: row["metrics"] for row in cutoff["rows"]}
    ours = next(row["metrics"] for row in cutoff["rows"] if row["kind"] == "pipeline")
    theirs = rows[cutoff["paired"]["against"]]
    first = cutoff["gain"][len(cutoff["gain"]) // 10]
    return [
        (Both("pairs put in the right order", "排序正确的用户对"), percent(ours["auc"]), percent(theirs["auc"])),
        (
            Both("how far probabilities are off, points", "概率的平均偏差（百分点）"),
            f"{100 * ours['ece']:.1f}",
            f"{100 * theirs['ece']:.1f}",
        ),
        (
            Both("times as many leavers among the first tenth", "前 10% 名单的流失浓度（倍）"),
            _figure(ours["lift@10%"], 2),
            _figure(theirs["lift@10%"], 2),
        ),
        (
            Both(
                f"of all leavers stand in the first {percent(first['share'])}",
                f"的流失用户位于前 {percent(first['share'])}",
            ),
            percent(first["found"]),
            "",
        ),
    ]


def honesty(cutoff: Cutoff) -> Both:
    """Whether probabilities come true."""
    outside = sum(not row["low"] <= row["observed"] <= row["high"] for row in cutoff["reliability"])
    bins, held = len(cutoff["reliability"]), cutoff["coverage"]
    level, covered = f"{100 * held['level']:.0f}", f"{100 * held['covered']:.0f}"
    return Both(
        f"{bins - outside} of {bins} points lie within the band in which a perfect model stays nine times in ten. "
        f"Intervals of {level} % around probabilities held for {covered} % of {held['groups']} groups of users alike.",
        f"{bins} 个点中有 {bins - outside} 个位于完美模型 90% 情况下所处的带内。"
        f"概率的 {level}% 区间在 {held['groups']} 个同类用户组中的 {covered}% 成立。",
    )


def outlook(cutoff: Cutoff) -> Both | None:
    """What was foretold of the base rate; None where nothing was."""
    found = cutoff["choices"].get("outlook")
    if found is None or found["evidence"] == "none":
        return None
    more, more_zh = ("more", "高") if found["shift"] > 0 else ("fewer", "低")
    why, why_zh = {
        "last_year": ("the same weeks of last year", "去年同期"),
        "drift": ("the drift of the last months", "近几个月的漂移"),
    }[found["evidence"]]
    if abs(found["shift"]) < _NO_SHIFT:
        return Both(f"By {why} the base rate was expected to stay.", f"根据{why_zh}，预计总体流失率不变。")
    return Both(
        f"By {why}, {more} were expected to leave than before.", f"根据{why_zh}，预计总体流失率比此前偏{more_zh}。"
    )


def fairness(cutoff: Cutoff) -> Both:
    """For whom it is off, in words."""
    judged = {name: part for name, part in cutoff["slices"].items() if "refused" not in part}
    off = [
        name
        for name, part in judged.items()
        if abs(part["bias"]) > _BIAS and (part["intervals"]["bias"][0] > 0 or part["intervals"]["bias"][1] < 0)
    ]
    if not judged:
        return Both("No group is large enough to be judged.", "没有足够大的群体可供评判。")
    if not off:
        return Both(
            f"In none of {len(judged)} groups is the mean probability off by more than 3 points beyond chance.",
            f"{len(judged)} 个群体中，平均概率的偏差均未在偶然之外超过 3 个百分点。",
        )
    names = [group(name) for name in off]
    return Both(
        f"The mean probability is off by more than 3 points, beyond chance, for: {', '.join(n.en for n in names)}.",
        f"以下群体的平均概率偏差在偶然之外超过 3 个百分点：{'、'.join(n.zh for n in names)}。",
    )


def stability(cutoff: Cutoff) -> Both:
    """Whether another model would say the same."""
    found = cutoff["stability"]
    month, month_zh = "", ""
    if found["months"] is not None:
        month = f", {percent(found['months'])} with one that is a month older"
        month_zh = f"，与一个月前的模型相同 {percent(found['months'])}"
    return Both(
        f"Of a user's three strongest reasons, {percent(found['seeds'])} are the same with a model grown anew{month}.",
        f"每位用户最强的三条原因中，重新训练后相同 {percent(found['seeds'])}{month_zh}。",
    )


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
