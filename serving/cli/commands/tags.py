"""``mallard tags``: what is known of users."""

from serving.cli.command import group
from serving.cli.tags.about import describe, list_tags
from serving.cli.tags.building import build, builds
from serving.cli.tags.comparing import diff
from serving.cli.tags.previewing import preview
from serving.cli.tags.profiling import profile

tags = group("tags", "Look at user tags and build them.", list_tags, describe, build, builds, diff, preview, profile)
