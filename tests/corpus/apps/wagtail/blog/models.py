"""A blog: a page of stories, with an image and a body of blocks; and an author as a snippet."""

from django.db import models
from wagtail import blocks
from wagtail.admin.panels import FieldPanel
from wagtail.api import APIField
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page
from wagtail.search import index
from wagtail.snippets.models import register_snippet


@register_snippet
class Author(models.Model):
    name = models.CharField(max_length=80)
    panels = [FieldPanel("name")]

    def __str__(self) -> str:
        return self.name


class BlogIndex(Page):
    intro = RichTextField(blank=True)
    content_panels = [*Page.content_panels, FieldPanel("intro")]


class Story(Page):
    date = models.DateField("Post date")
    body = StreamField([("heading", blocks.CharBlock()), ("text", blocks.RichTextBlock())])
    author = models.ForeignKey(Author, null=True, blank=True, on_delete=models.SET_NULL)
    image = models.ForeignKey(
        "wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    search_fields = [*Page.search_fields, index.SearchField("body")]
    content_panels = [
        *Page.content_panels,
        FieldPanel("date"),
        FieldPanel("author"),
        FieldPanel("image"),
        FieldPanel("body"),
    ]
    api_fields = [APIField("date"), APIField("body"), APIField("author")]
