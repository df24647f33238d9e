import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("content", "0005_glossary")]

    operations = [
        migrations.CreateModel(
            name="Translation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        help_text="Its code: es is Spanish. It is offered once no text of the topic lacks.",
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z]{2,3}$",
                                "Use its code of two or three letters, such as es.",
                            )
                        ],
                    ),
                ),
                (
                    "place",
                    models.CharField(help_text="Which text it is: “features/fever/text”."),
                ),
                (
                    "original",
                    models.TextField(
                        blank=True,
                        help_text="The English as it was when this was translated. Once it changes, this text has to be looked at again, and until then the language is not offered.",
                        verbose_name="in English",
                    ),
                ),
                (
                    "text",
                    models.TextField(
                        help_text="Never write a telephone number or the name of a service. Write {emergency_number}, {urgent_advice_line}, {emergency_department}, {gp_surgery}, {pharmacist} or {cancer_team_line}: each clinic fills in its own.",
                        verbose_name="translated",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft: not shown to anybody"),
                            ("translated", "Translated, not clinically checked"),
                            ("checked", "Clinically checked"),
                        ],
                        default="draft",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="translations",
                        to="content.topic",
                    ),
                ),
            ],
            options={
                "ordering": ("topic", "language", "place"),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("topic"),
                        models.F("language"),
                        models.F("place"),
                        name="translation_once_per_place",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__regex", "^[a-z]{2,3}$")),
                        name="translation_language",
                        violation_error_message="A language is a code of two or three letters.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("place", ""), _negated=True),
                        name="translation_has_place",
                        violation_error_message="This must not be left empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="translation_has_text",
                        violation_error_message="This must not be left empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["draft", "translated", "checked"])),
                        name="translation_status",
                        violation_error_message="Choose one of the values in the list.",
                    ),
                ],
            },
        ),
    ]
