"""The addresses."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.static import serve
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import DefaultRouter
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView
from shop import views

router = DefaultRouter()
router.register("categories", views.CategoryViewSet)
router.register("products", views.ProductViewSet)
router.register("orders", views.OrderViewSet, "order")
urlpatterns = [
    path("api/", include(router.urls)),
    path("api/signup/", views.signup),
    path("api/code/", views.code),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/tasks/<key>/", views.task),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/webhook/", views.webhook),
    path("verify/<link>/", views.verify),
    path("terms/", views.terms),
    path("account/", views.account, name="account"),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
    re_path("media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
]
