from typing import ClassVar

from django.db import models


class Answer(models.Model):
    person = models.CharField(max_length=40)
    step = models.PositiveIntegerField()
    feature = models.CharField(max_length=100)
    reply = models.CharField(max_length=200)

    objects: ClassVar[models.Manager["Answer"]] = models.Manager()

    class Meta:
        app_label = "bare"
        constraints = [models.UniqueConstraint("person", "step", name="answer_once_per_step")]

    def __str__(self) -> str:
        return f"{self.feature} at step {self.step}"
