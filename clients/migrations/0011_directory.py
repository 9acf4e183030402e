from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q, Value

import clients.languages
import clients.specialties

# What people wrote in their own words until now, where a word of the list means the same.
MEANT = {
    "knee and hip": ("knee", "hip"),
    "lower back": ("back",),
    "strength after therapy": ("strength", "after_therapy"),
    "field sport": ("field_sport",),
    "post-surgical": ("post_surgical",),
}


def to_codes(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Own words become words of the list. What is not in it stands in the introduction after."""
    labels = {label.casefold(): code for code, label in clients.specialties.SPECIALTIES.items()}
    for row in apps.get_model("clients", "Professional").objects.exclude(specialties=[]):
        codes: list[str] = []
        others: list[str] = []
        for words in row.specialties:
            plain = words.strip().casefold()
            found = MEANT.get(plain) or ((labels[plain],) if plain in labels else ())
            codes += found
            if not found and words.strip():
                others.append(words.strip())
        row.specialties = [code for code in clients.specialties.SPECIALTIES if code in codes]
        said = "\n".join([row.introduction, *others]).strip()
        row.introduction = said if len(said) <= 600 else row.introduction
        row.save(update_fields=["specialties", "introduction"])


def to_words(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for row in apps.get_model("clients", "Professional").objects.exclude(specialties=[]):
        row.specialties = [
            clients.specialties.SPECIALTIES.get(code, code) for code in row.specialties
        ]
        row.save(update_fields=["specialties"])


class Migration(migrations.Migration):
    """What a professional says of themselves in the directory, and that they want to be in it."""

    dependencies = [("clients", "0010_no_look_on_hold")]

    operations = [
        migrations.AddField(
            "professional",
            "languages",
            ArrayField(
                models.CharField(max_length=3, validators=[clients.languages.validate_language]),
                blank=True,
                db_default=Value("{}"),
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            "professional",
            "in_directory",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="They want to be found in the public directory.",
            ),
        ),
        migrations.AddField(
            "professional",
            "open_places",
            models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            "professional",
            "specialties",
            ArrayField(
                models.CharField(
                    max_length=60, validators=[clients.specialties.validate_specialty]
                ),
                blank=True,
                default=list,
                size=None,
            ),
        ),
        migrations.AddConstraint(
            "professional",
            models.CheckConstraint(
                condition=Q(open_places__isnull=True) | Q(open_places__lte=50),
                name="professional_open_places_in_range",
            ),
        ),
        migrations.RunPython(to_codes, to_words),
    ]
