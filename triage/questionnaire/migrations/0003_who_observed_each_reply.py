import django.db.models.lookups
import triage.questionnaire.models
from django.db import migrations, models


def take_the_voice_there_was(apps, schema_editor):
    """Until now the voice could not change: each reply was set in that of its assessment."""
    assessments = apps.get_model('questionnaire', 'Assessment').objects
    for pk, voice, replies in assessments.values_list('pk', 'voice', 'replies').iterator():
        assessments.filter(pk=pk).update(set_by=[voice] * len(replies))


class Migration(migrations.Migration):

    dependencies = [
        ('questionnaire', '0002_look_with_a_mirror'),
    ]

    operations = [
        migrations.AddField(
            model_name='assessment',
            name='set_by',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.RunPython(take_the_voice_there_was, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='assessment',
            constraint=models.CheckConstraint(condition=django.db.models.lookups.Exact(triage.questionnaire.models.ListLength('replies'), triage.questionnaire.models.ListLength('set_by')), name='assessment_says_by_whom_each_reply_was_set'),
        ),
    ]
