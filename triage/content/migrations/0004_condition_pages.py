from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('content', '0003_syndromes'),
    ]

    operations = [
        migrations.AddField(
            model_name='condition',
            name='how_found',
            field=models.TextField(default='', help_text='How a clinician tells, and by which tests, in one to three short sentences. No doses. Never write a telephone number or the name of a service. Write {emergency_number}, {urgent_advice_line}, {emergency_department}, {gp_surgery}, {pharmacist} or {cancer_team_line}: each clinic fills in its own.', verbose_name='how it is found out'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='condition',
            name='how_treated',
            field=models.TextField(default='', help_text='What is mostly done, in one to three short sentences. No doses, and a medicine by name only if a source has it. Never write a telephone number or the name of a service. Write {emergency_number}, {urgent_advice_line}, {emergency_department}, {gp_surgery}, {pharmacist} or {cancer_team_line}: each clinic fills in its own.', verbose_name='how it is treated'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='topic',
            name='source_document',
            field=models.TextField(blank=True, default='', help_text='The document that the content started from, word for word: its title on the first line, then its paragraphs. Pages of conditions quote those that a condition names.'),
            preserve_default=False,
        ),
    ]
