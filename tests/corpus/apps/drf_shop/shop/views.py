"""The API."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import secrets
import string
import time
from decimal import Decimal

from celery.result import AsyncResult
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.core import signing
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import IntegrityError, connection, transaction
from django.db.models import Avg, Count, F, Sum
from django.db.models.functions import TruncDay
from django.forms import ModelForm
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_page
from django.views.decorators.csrf import csrf_exempt
from rest_framework import permissions, status, viewsets
from rest_framework.authtoken.models import Token
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.response import Response
from shop import exports, partner, tasks
from shop.models import Category, Order, OrderLine, Product, User, WebhookDelivery
from shop.serializers import (
    CategorySerializer,
    OrderSerializer,
    ProductSerializer,
    SignupSerializer,
)


class Conflict(APIException):
    status_code = 409
    default_detail = "Not enough in stock."


class IsStaffOrReadOnly(permissions.BasePermission):
    def has_permission(self, request, view):
        return request.method in permissions.SAFE_METHODS or request.user.is_staff


@api_view(["POST"])
@permission_classes([permissions.AllowAny])
def signup(request):
    serializer = SignupSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    with transaction.atomic():
        user = serializer.save()
        token, _ = Token.objects.get_or_create(user=user)
    link = signing.dumps({"user": user.pk, "email": user.email}, salt="verify")
    send_mail("Welcome", f"Verify: http://{request.get_host()}/verify/{link}/", None, [user.email])
    return Response({**serializer.data, "token": token.key, "verify": link}, status=201)


@api_view(["GET"])
@permission_classes([permissions.AllowAny])
def verify(request, link):
    try:
        said = signing.loads(link, salt="verify", max_age=86400)
    except signing.SignatureExpired:
        return Response({"detail": "Too late."}, status=410)
    except signing.BadSignature as error:
        raise ValidationError({"link": str(error)}) from error
    User.objects.filter(pk=said["user"]).update(verified_at=timezone.now())
    return Response({"verified": said["email"]})


@api_view(["POST"])
@permission_classes([permissions.AllowAny])
def code(request):
    """Send a code of six digits, good for a minute, or check one."""
    email = request.data.get("email", "")
    name = "code:" + hashlib.sha256(email.encode()).hexdigest()
    if given := request.data.get("code"):
        if not secrets.compare_digest(cache.get(name) or "", given):
            raise PermissionDenied("Wrong code.")
        cache.delete(name)
        user = get_object_or_404(User, email=email)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return Response({"logged_in": user.email})
    drawn = "".join(secrets.choice(string.digits) for _ in range(6))
    cache.set(name, drawn, 60)
    send_mail("Your code", f"Your code is {drawn}", None, [email])
    return Response({"sent": True, "debug": drawn if request.headers.get("X-Debug") else None})


class CategoryViewSet(viewsets.ModelViewSet):
    queryset = Category.objects.order_by("name")
    serializer_class = CategorySerializer
    permission_classes = [IsStaffOrReadOnly]
    pagination_class = None


class ProductViewSet(viewsets.ModelViewSet):
    queryset = Product.objects.select_related("category")
    serializer_class = ProductSerializer
    permission_classes = [IsStaffOrReadOnly]
    parser_classes = [JSONParser, MultiPartParser, FormParser]
    filterset_fields = {"category__slug": ["exact"], "price": ["lte", "gte"]}
    search_fields = ["name"]
    ordering_fields = ["price", "name"]

    @action(detail=True, methods=["post"])
    def picture(self, request, pk=None):
        product = self.get_object()
        if "picture" not in request.FILES:
            raise ValidationError({"picture": "There is none."})
        product.picture = request.FILES["picture"]
        product.full_clean(exclude=["category"])
        product.save()
        task = tasks.make_thumbnail.delay(str(product.pk))
        return Response({"picture": product.picture.url, "task": task.id}, status=202)

    @action(detail=False)
    def find(self, request):
        words = SearchQuery(request.query_params.get("q", ""))
        vector = SearchVector("name", weight="A") + SearchVector("category__name", weight="B")
        found = (
            self.get_queryset()
            .annotate(rank=SearchRank(vector, words))
            .filter(rank__gt=0)
            .order_by("-rank", "name")
        )
        return Response([{"name": one.name, "rank": round(one.rank, 4)} for one in found])

    @action(detail=False)
    def featured(self, request):
        def pick():
            ids = list(Product.objects.values_list("pk", flat=True))
            return random.sample(ids, min(2, len(ids)))

        chosen = cache.get_or_set("featured", pick, 60)
        products = Product.objects.in_bulk(chosen)
        return Response(ProductSerializer(list(products.values()), many=True).data)

    @action(detail=True)
    def changes(self, request, pk=None):
        product = self.get_object()
        return Response(
            [
                {
                    "at": entry.history_date,
                    "by": entry.history_user and entry.history_user.email,
                    "price": entry.price,
                    "stock": entry.stock,
                    "type": entry.history_type,
                }
                for entry in product.history.select_related("history_user")
            ]
        )


class OrderViewSet(viewsets.ModelViewSet):
    serializer_class = OrderSerializer
    permission_classes = [permissions.IsAuthenticated]
    http_method_names = ["get", "post", "delete"]

    def get_queryset(self):
        orders = Order.objects.select_related("customer").prefetch_related("lines__product")
        return orders if self.request.user.is_staff else orders.filter(customer=self.request.user)

    def create(self, request, *args, **kwargs):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        with transaction.atomic():
            wanted = {line["product"].pk: line["quantity"] for line in given["lines"]}
            products = {
                one.pk: one
                for one in Product.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
            }
            order = Order.objects.create(
                number=f"{timezone.now():%y%m%d}-{secrets.token_hex(4).upper()}",
                customer=request.user,
                shipping_address=given["shipping_address"],
            )
            lines = []
            for key, quantity in wanted.items():
                product = products[key]
                if product.stock < quantity:
                    raise Conflict(f"Only {product.stock} of {product.name}.")
                Product.objects.filter(pk=key).update(stock=F("stock") - quantity)
                lines.append(
                    OrderLine(order=order, product=product, quantity=quantity, price=product.price)
                )
            OrderLine.objects.bulk_create(lines)
            order.total = sum((line.price * line.quantity for line in lines), Decimal(0))
            order.save(update_fields=["total"])
            transaction.on_commit(lambda: tasks.confirm.delay(order.pk))
        return Response(self.get_serializer(order).data, status=status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"])
    def pay(self, request, pk=None):
        order = self.get_object()
        card = request.data.get("card_number", "")
        try:
            answer = partner.call(
                "POST",
                "/payments",
                {"order": order.number, "amount": order.total, "card": card},
            )
        except partner.PartnerError as error:
            return Response({"detail": str(error)}, status=502)
        with transaction.atomic():
            order = Order.objects.select_for_update().get(pk=order.pk)
            order.status, order.paid_at = "paid", timezone.now()
            order.save()
            transaction.on_commit(lambda: tasks.ship.apply_async((order.pk,), countdown=0))
        return Response({"status": order.status, "receipt": answer["receipt"], "last4": card[-4:]})

    @action(detail=True)
    def invoice(self, request, pk=None):
        return exports.as_pdf(self.get_object())

    @action(detail=False)
    def export(self, request):
        orders = self.get_queryset()
        if request.query_params.get("as") == "xlsx":
            return exports.as_xlsx(orders)
        return exports.as_csv(orders)

    @action(detail=False)
    def statistics(self, request):
        key = f"statistics:{request.user.pk}"
        if (said := cache.get(key)) is None:
            days = (
                self.get_queryset()
                .order_by()
                .annotate(day=TruncDay("created"))
                .values("day")
                .annotate(orders=Count("pk"), turnover=Sum("total"), mean=Avg("total"))
            )
            with connection.cursor() as cursor:
                cursor.execute("SELECT status, count(*) FROM shop_order GROUP BY status ORDER BY 1")
                said = {"days": list(days), "statuses": dict(cursor.fetchall()), "at": time.time()}
            cache.set(key, said, 30)
        return Response(said)


@csrf_exempt
def webhook(request):
    """Take a payment's event of the partner, signed as Stripe signs."""
    header = dict(
        part.split("=", 1) for part in request.headers.get("X-Signature", "t=0,v1=").split(",")
    )
    if abs(time.time() - int(header["t"])) > 300:
        return JsonResponse({"detail": "too old"}, status=400)
    right = hmac.new(
        settings.WEBHOOK_SECRET.encode(), header["t"].encode() + b"." + request.body, hashlib.sha256
    ).hexdigest()
    if not hmac.compare_digest(right, header["v1"]):
        return JsonResponse({"detail": "bad signature"}, status=403)
    event = json.loads(request.body)
    try:
        with transaction.atomic():
            WebhookDelivery.objects.create(event_id=event["id"], kind=event["type"], payload=event)
    except IntegrityError:
        return JsonResponse({"detail": "seen before"})
    changed = Order.objects.filter(number=event["order"]).update(
        status=event["type"].split(".")[-1]
    )
    return JsonResponse({"changed": changed})


@api_view(["GET"])
def task(request, key):
    result = AsyncResult(key)
    return Response({"state": result.state, "result": result.result if result.ready() else None})


@cache_page(30)
def terms(request):
    return HttpResponse(f"<p>Terms, as of {timezone.now():%H:%M:%S.%f}</p>")


class AccountForm(ModelForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "phone"]


@login_required
def account(request):
    form = AccountForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("account")
    visits = request.session["visits"] = request.session.get("visits", 0) + 1
    orders = request.user.orders.all()[:10]
    return render(request, "shop/account.html", {"form": form, "visits": visits, "orders": orders})
