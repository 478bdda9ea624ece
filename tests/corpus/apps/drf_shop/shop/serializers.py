"""What goes in and out as JSON."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from shop.models import Category, Order, OrderLine, Product, User


class SignupSerializer(serializers.ModelSerializer):
    password = serializers.CharField(write_only=True)
    password_again = serializers.CharField(write_only=True)

    class Meta:
        model = User
        fields = ["id", "email", "first_name", "last_name", "phone", "password", "password_again"]

    def validate(self, given):
        if given["password"] != given.pop("password_again"):
            raise serializers.ValidationError({"password_again": "The passwords differ."})
        password = given["password"]
        try:
            validate_password(password, User(**{k: v for k, v in given.items() if k != "password"}))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from error
        return given

    def create(self, given):
        return User.objects.create_user(**given)


class CategorySerializer(serializers.ModelSerializer):
    products = serializers.IntegerField(source="products.count", read_only=True)

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "products"]


class ProductSerializer(serializers.ModelSerializer):
    category = serializers.SlugRelatedField("slug", queryset=Category.objects.all())

    class Meta:
        model = Product
        exclude = ["thumbnail"]
        read_only_fields = ["picture"]


class LineSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="product.name", read_only=True)

    class Meta:
        model = OrderLine
        fields = ["product", "name", "quantity", "price"]
        read_only_fields = ["price"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)
    customer = serializers.EmailField(source="customer.email", read_only=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "number",
            "customer",
            "status",
            "total",
            "shipping_address",
            "partner_reference",
            "created",
            "paid_at",
            "lines",
        ]
        read_only_fields = ["number", "status", "total", "partner_reference", "paid_at"]
