from odoo import fields, models

from .obstacle import describe


class GrantObstacleMixin(models.AbstractModel):
    """A document that says what prevents its next act, each with the button to what lifts it."""

    _name = "grant.obstacle.mixin"
    _description = "Document with Obstacles"

    obstacles = fields.Json(string="What Prevents It", compute="_compute_obstacles")

    def _compute_obstacles(self):
        for document in self:
            # Nothing is to be filled in before there is a form to fill in.
            obstacles = document._get_obstacles() if document._origin else []
            document.obstacles = describe(obstacles, self.env)

    def _get_obstacles(self):
        """What prevents the next act of this document: a list of sentences, as
        :class:`Obstacle`; the act refuses for the same."""
        raise NotImplementedError
