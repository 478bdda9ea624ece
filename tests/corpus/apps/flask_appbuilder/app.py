"""Contacts in groups, with files and an API, as Flask-AppBuilder's manual has it."""

import os

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelRestApi, ModelView
from flask_appbuilder.charts.views import GroupByChartView
from flask_appbuilder.models.group import aggregate_count
from flask_appbuilder.models.mixins import AuditMixin, FileColumn
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_appbuilder.utils.legacy import get_sqla_class
from sqlalchemy import Column, Date, ForeignKey, Integer, String
from sqlalchemy.orm import relationship

db = get_sqla_class()()


class ContactGroup(Model):
    __tablename__ = "contact_group"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), unique=True, nullable=False)

    def __repr__(self):
        return self.name


class Contact(AuditMixin, Model):
    __tablename__ = "contact"
    id = Column(Integer, primary_key=True)
    name = Column(String(150), unique=True, nullable=False)
    address = Column(String(564))
    birthday = Column(Date)
    contract = Column(FileColumn)
    contact_group_id = Column(Integer, ForeignKey("contact_group.id"))
    contact_group = relationship("ContactGroup")

    def __repr__(self):
        return self.name


class ContactView(ModelView):
    datamodel = SQLAInterface(Contact)
    list_columns = ["name", "birthday", "contact_group"]
    add_columns = edit_columns = ["name", "address", "birthday", "contract", "contact_group"]
    page_size = 5


class GroupView(ModelView):
    datamodel = SQLAInterface(ContactGroup)
    related_views = [ContactView]


class ContactChart(GroupByChartView):
    datamodel = SQLAInterface(Contact)
    chart_title = "Contacts by birthday"
    definitions = [{"group": "birthday", "series": [(aggregate_count, "birthday")]}]


class ContactApi(ModelRestApi):
    resource_name = "contact"
    datamodel = SQLAInterface(Contact)
    add_columns = edit_columns = ["name", "address", "birthday", "contact_group"]
    list_columns = show_columns = ["id", *add_columns]


application = Flask(__name__)
application.config.update(
    SECRET_KEY="corpus",
    SQLALCHEMY_DATABASE_URI=os.environ["CORPUS_DATABASE"],
    UPLOAD_FOLDER=os.environ["CORPUS_STATE"] + "/uploads/",
    FAB_API_SWAGGER_UI=True,
    FAB_ADD_SECURITY_API=True,
    JWT_SECRET_KEY="a secret of the corpus, of 32 bytes or more",
    AUTH_RATE_LIMITED=False,
    WTF_CSRF_ENABLED=True,
)
with application.app_context():
    db.init_app(application)
    appbuilder = AppBuilder(application, db.session)
    db.create_all()
    appbuilder.add_view(GroupView, "Groups", category="Contacts")
    appbuilder.add_view(ContactView, "Contacts", category="Contacts")
    appbuilder.add_view(ContactChart, "Chart", category="Contacts")
    appbuilder.add_api(ContactApi)
