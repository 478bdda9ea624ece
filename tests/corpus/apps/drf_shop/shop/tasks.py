"""What is done later."""

from __future__ import annotations

import io

from celery import shared_task
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from PIL import Image
from shop import partner
from shop.models import Order, Product


@shared_task
def make_thumbnail(product_id):
    product = Product.objects.get(pk=product_id)
    with Image.open(product.picture) as picture:
        picture.thumbnail((20, 20))
        out = io.BytesIO()
        picture.save(out, "PNG")
    product.thumbnail.save(f"{product.pk}.png", ContentFile(out.getvalue()))
    return product.thumbnail.name


@shared_task(bind=True, max_retries=3, default_retry_delay=1)
def ship(self, order_id):
    order = Order.objects.select_related("customer").get(pk=order_id)
    try:
        answer = partner.call(
            "POST", "/shipments", {"order": order.number, "address": order.shipping_address}
        )
    except partner.PartnerError as error:
        raise self.retry(exc=error) from error
    order.partner_reference = answer["reference"]
    order.status = "shipped"
    order.save(update_fields=["partner_reference", "status"])
    cache.delete(f"order:{order.number}")
    return order.partner_reference


@shared_task
def confirm(order_id):
    order = (
        Order.objects.select_related("customer").prefetch_related("lines__product").get(pk=order_id)
    )
    text = render_to_string("shop/confirmation.txt", {"order": order})
    mail = EmailMultiAlternatives(f"Your order {order.number}", text, to=[order.customer.email])
    mail.attach_alternative(
        render_to_string("shop/confirmation.html", {"order": order}), "text/html"
    )
    return mail.send()
