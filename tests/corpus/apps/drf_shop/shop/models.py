"""What the shop keeps."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from shop.middleware import current
from simple_history.models import HistoricalRecords


class User(AbstractUser):
    username = None
    email = models.EmailField(unique=True)
    phone = models.CharField(max_length=30, blank=True)
    verified_at = models.DateTimeField(null=True)
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    from shop.managers import UserManager

    objects = UserManager()


class Category(models.Model):
    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(unique=True)

    def __str__(self):
        return self.name


class Product(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    category = models.ForeignKey(Category, models.PROTECT, related_name="products")
    price = models.DecimalField(max_digits=9, decimal_places=2, validators=[MinValueValidator(0)])
    stock = models.PositiveIntegerField(default=0)
    tags = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    picture = models.ImageField(upload_to="products/%Y/%m", blank=True)
    thumbnail = models.ImageField(upload_to="thumbnails", blank=True)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-created"]
        indexes = [GinIndex(fields=["tags"])]
        constraints = [
            models.CheckConstraint(condition=models.Q(stock__gte=0), name="stock_not_below")
        ]

    def __str__(self):
        return self.name


class Order(models.Model):
    number = models.CharField(max_length=20, unique=True)
    customer = models.ForeignKey(User, models.CASCADE, related_name="orders")
    status = models.CharField(max_length=12, default="new")
    total = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    shipping_address = models.TextField()
    partner_reference = models.CharField(max_length=60, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT)
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=9, decimal_places=2)


class WebhookDelivery(models.Model):
    event_id = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=40)
    payload = models.JSONField()
    received = models.DateTimeField(auto_now_add=True)


class AuditEntry(models.Model):
    request_id = models.CharField(max_length=64)
    model = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    action = models.CharField(max_length=10)
    at = models.DateTimeField(auto_now_add=True)


@receiver([post_save, post_delete])
def audit(sender, instance, **how):
    if sender in (Product, Order, Category):
        action = "delete" if "created" not in how else ("create" if how["created"] else "change")
        AuditEntry.objects.create(
            request_id=getattr(current, "request_id", "-"),
            model=sender.__name__,
            object_id=str(instance.pk),
            action=action,
        )
