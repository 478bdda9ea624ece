"""The shop in Django's admin."""

from __future__ import annotations

from django.contrib import admin
from shop.models import AuditEntry, Category, Order, OrderLine, Product, User


class LineInline(admin.TabularInline):
    model = OrderLine
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["number", "customer", "status", "total", "created"]
    list_filter = ["status", "created"]
    search_fields = ["number", "customer__email"]
    date_hierarchy = "created"
    inlines = [LineInline]


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "category", "price", "stock"]
    list_editable = ["stock"]


admin.site.register([Category, User, AuditEntry])
