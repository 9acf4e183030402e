"""The kinds of files that can be handed in."""

from django.db.models import TextChoices


class Kind(TextChoices):
    PDF = "pdf", "PDF"
    JPEG = "jpeg", "JPEG"
    PNG = "png", "PNG"

    @property
    def media_type(self) -> str:
        return "application/pdf" if self is Kind.PDF else f"image/{self.value}"

    @property
    def ending(self) -> str:
        return "jpg" if self is Kind.JPEG else self.value
