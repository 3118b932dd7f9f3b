"""Which path is answered by what."""

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpResponse
from django.urls import path, re_path

from cvat.apps.engine import views


@staff_member_required
def queues(request):
    return HttpResponse("queues of the double", content_type="text/plain")


urlpatterns = [
    path("api/server/about", views.about),
    path("api/server/health/", views.health_view),
    path("api/server/share", views.share_view),
    path("api/auth/rules", views.rules),
    re_path(r"^api/auth/login/?$", views.login_view),
    re_path(r"^api/auth/logout/?$", views.logout_view),
    re_path(r"^api/auth/register/?$", views.register),
    re_path(r"^api/auth/password/change/?$", views.password_change),
    path("api/users", views.users),
    path("api/users/self", views.myself),
    path("api/users/<int:number>", views.one_user),
    path("api/projects", views.projects),
    path("api/labels", views.labels),
    path("api/tasks", views.tasks),
    path("api/tasks/<int:number>", views.one_task),
    re_path(r"^api/tasks/(?P<number>\d+)/data/?$", views.task_data),
    re_path(r"^api/tasks/(?P<number>\d+)/annotations/?$", views.task_annotations),
    re_path(r"^api/(?P<path>.*)$", views.not_here),
    path("admin/", admin.site.urls),
    path("django-rq/", queues),
]
