"""A question with its answer: what was known, who is asked about, and what they went on to do."""

from dataclasses import dataclass

from training.interactions import Histories, Int32, Int64, Interactions


@dataclass(frozen=True)
class Truth:
    """The items that each of ``q`` users went on to take, as compressed rows. Items of a row are distinct."""

    indptr: Int64  # (q + 1,)
    item: Int32  # (t,)


@dataclass(frozen=True)
class Fold:
    """One evaluation or training example set of ``q`` users.

    ``train`` holds nothing of the truth: whatever is fitted for this fold is fitted on ``train`` alone.
    """

    train: Interactions
    users: Int32  # (q,) ascending internal user indices, each with at least one true item
    as_of: Int64  # (q,) the moment each user is asked about
    truth: Truth

    def histories(self) -> Histories:
        """What is known of the asked users, aligned with ``users`` and ``truth``."""
        return self.train.histories(self.users, self.as_of)
