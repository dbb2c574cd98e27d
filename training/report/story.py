"""What a result says, in sentences. A difference is called one only when its whole interval lies on one side."""

import math
from collections.abc import Mapping
from typing import Any

from training.report.words import Both, model

Result = Mapping[str, Any]


def headline(result: Result) -> Both:
    """The one sentence to remember: by recall, beside the strongest simple list."""
    found = result["found"]
    rival = _metrics(result, found["against"])[found["metric"]]
    verb, verb_zh = ("buy", "购买的商品") if result["target"] == ["purchase"] else ("take", "选择的商品")
    if not rival and found["low"] > 0:
        return Both(
            f"The recommender finds part of what people {verb} next, the strongest simple list finds nothing of it",
            f"推荐系统能命中用户接下来{verb_zh}，而最强的简单榜单无一命中",
        )
    if found["low"] > 0 or found["high"] < 0:
        word, word_zh = ("more", "多命中") if found["mean"] > 0 else ("less", "少命中")
        share = percent(abs(found["mean"] / rival))
        return Both(
            f"The recommender finds {share} {word} of what people {verb} next than the strongest simple list",
            f"与最强的简单榜单相比，推荐系统{word_zh} {share} 的用户接下来{verb_zh}",
        )
    return Both(
        f"The recommender is not shown to find more of what people {verb} next than the strongest simple list",
        f"尚无证据表明推荐系统比最强的简单榜单命中更多用户接下来{verb_zh}",
    )


def certainty(result: Result) -> Both:
    """Between which bounds, and whether the order is better too."""
    found, paired = result["found"], result["paired"]
    rival, name = _metrics(result, found["against"])[found["metric"]], model(found["against"])
    said = Both(f"The strongest simple list is “{name.en}”. ", f"最强的简单榜单是「{name.zh}」。")
    if rival:
        low, high = signed(found["low"] / rival), signed(found["high"] / rival)
        said = Both(
            f"{said.en}With 95 % certainty the difference lies between {low} and {high}. ",
            f"{said.zh}差异的 95% 置信区间为 {low} 至 {high}。",
        )
    if paired["low"] > 0:
        return Both(f"{said.en}What fits also stands higher up in the list.", f"{said.zh}合适的商品也排得更靠前。")
    if paired["high"] < 0:
        return Both(f"{said.en}What fits stands lower down in the list.", f"{said.zh}合适的商品排得更靠后。")
    return Both(
        f"{said.en}It is not shown that what fits stands higher up in the list.",
        f"{said.zh}尚无证据表明合适的商品排得更靠前。",
    )


def figures(result: Result) -> list[tuple[Both, str, str]]:
    """What it is, the recommender's value, the strongest simple list's."""
    k = result["paired"]["metric"].rsplit("@", 1)[1]
    ours, theirs = _metrics(result, "pipeline"), _metrics(result, result["paired"]["against"])
    wanted = {
        f"hit@{k}": Both(f"of the people find something in the first {k}", f"的用户在前 {k} 位中有命中"),
        f"recall@{k}": Both(f"of what is taken stands in the first {k}", f"的所选商品出现在前 {k} 位"),
        f"coverage@{k}": Both("of all items are shown to somebody", "的商品至少展示给一人"),
        f"category_diversity@{k}": Both("of the pairs in a list are of two categories", "的列表内商品对属于不同类目"),
        f"head_share@{k}": Both("of the places go to the most popular fifth", "的位置给了最热门的 20% 商品"),
        f"popularity_bias@{k}": Both("popularity beside what people had, points", "相对用户历史的热门程度（百分位）"),
    }
    return [
        (label, _figure(name, ours[name]), _figure(name, theirs[name]))
        for name, label in wanted.items()
        if name in ours and name in theirs
    ]


def choices(result: Result) -> list[Both]:
    """Who ranks and why, and which methods take part."""
    made, said = result["choices"], []
    if "ranks" in made:
        name = model(made["ranks"])
        said.append(Both(f"The order is made by: {name.en}.", f"最终排序由「{name.zh}」决定。"))
    if against := made.get("ranker_against"):
        other, row = model(against["model"]), next(iter(result["validation"]))
        measure = next(key for key in row if "@" in key)
        low, mean, high = (f"{against[part]:+.4f}" for part in ("low", "mean", "high"))
        said.append(
            Both(
                f"On data that neither had seen, the learnt order differs from “{other.en}” by {mean} in {measure} "
                f"(95 % interval {low} to {high}). When it does not win, what is simpler ranks.",
                f"在两者都未见过的数据上，学习排序与「{other.zh}」的 {measure} 之差为 {mean}"
                f"（95% 区间 {low} 至 {high}）。若学习排序未胜出，则采用更简单的方法。",
            )
        )
    sources = made.get("sources", {})
    kept = [model(name) for name, entry in sources.items() if entry.get("kept", True)]
    left = [model(name) for name, entry in sources.items() if not entry.get("kept", True)]
    for names, en, zh in (
        (kept, "Taking part", "参与的方法"),
        (left, "Left out, as they added nothing", "未带来增益而未采用"),
    ):
        if names:
            said.append(Both(f"{en}: {', '.join(n.en for n in names)}.", f"{zh}：{'、'.join(n.zh for n in names)}。"))
    if weights := made.get("importance"):
        first = ", ".join(list(weights)[:5])
        said.append(Both(f"What the learnt order looks at most: {first}.", f"学习排序最看重的特征：{first}。"))
    return said


def percent(share: float) -> str:
    """``0.123`` as ``12 %``, ``0.0123`` as ``1.2 %``."""
    return f"{100 * share:.0f} %" if abs(share) >= 0.0995 or not share else f"{100 * share:.1f} %"


def signed(share: float) -> str:
    """The same with its sign."""
    return f"{'+' if share >= 0 else '−'}{percent(abs(share))}"


def _figure(name: str, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    if name.startswith("popularity_bias"):
        return f"{'+' if value >= 0 else '−'}{abs(100 * value):.1f}"
    return percent(value)


def _metrics(result: Result, name: str) -> Mapping[str, Any]:
    metrics: Mapping[str, Any] = next(row["metrics"] for row in result["rows"] if row["model"] == name)
    return metrics
