from django.db import models


class RateBucket(models.Model):
    """A token bucket of ``core.ratelimit``, which reads and writes it in SQL of its own."""

    name = models.CharField(primary_key=True, max_length=120)
    full_at = models.FloatField(db_index=True)  # seconds since 1970

    class Meta:
        verbose_name = "rate limit bucket"

    def __str__(self) -> str:
        return self.name
