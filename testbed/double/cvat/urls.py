"""Which path is answered by what."""

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpResponse
from django.urls import path, re_path

from cvat.apps.engine.views import annotations, people, projects, server, tasks
from cvat.apps.organizations import views as organizations
from cvat.line import has


@staff_member_required
def queues(request):
    return HttpResponse("queues of the double", content_type="text/plain")


def _growth():
    if not has("growth"):
        return []
    from cvat.apps.growth.views import growth

    return [path("api/growth", growth)]


TARGET = "(?P<target>project|task|job)s"
urlpatterns = [
    path("api/server/about", server.about),
    path("api/server/health/", server.health_view),
    path("api/server/share", server.share_view),
    path("api/server/annotation/formats", server.formats),
    path("api/auth/rules", server.rules),
    re_path(r"^api/auth/login/?$", people.login_view),
    re_path(r"^api/auth/logout/?$", people.logout_view),
    re_path(r"^api/auth/register/?$", people.register),
    re_path(r"^api/auth/password/change/?$", people.password_change),
    path("api/auth/password/reset", organizations.password_reset),
    path("api/auth/password/reset/confirm", organizations.password_reset_confirm),
    path(
        "api/auth/account-confirm-email/<str:key>/",
        organizations.confirm_email,
        name="account_confirm_email",
    ),
    path("api/organizations", organizations.organizations),
    path("api/invitations", organizations.invitations),
    path("api/users", people.users),
    path("api/users/self", people.myself),
    path("api/users/<int:number>", people.one_user),
    path("api/projects", projects.projects),
    path("api/projects/<int:number>", projects.one_project),
    path("api/labels", projects.labels),
    path("api/labels/<int:number>", projects.one_label),
    path("api/tasks", tasks.tasks),
    path("api/tasks/<int:number>", tasks.one_task),
    re_path(r"^api/tasks/(?P<number>\d+)/data/?$", tasks.task_data),
    path("api/tasks/<int:number>/data/meta", tasks.task_meta),
    re_path(r"^api/tasks/(?P<number>\d+)/annotations/?$", annotations.task_annotations),
    path("api/jobs", tasks.jobs),
    path("api/jobs/<int:number>", tasks.one_job),
    path("api/jobs/<int:number>/data", tasks.job_data),
    path("api/jobs/<int:number>/data/meta", tasks.job_meta),
    re_path(r"^api/jobs/(?P<number>\d+)/annotations/?$", annotations.job_annotations),
    re_path(rf"^api/{TARGET}/(?P<number>\d+)/dataset/export$", annotations.export),
    re_path(rf"^api/{TARGET}/(?P<number>\d+)/dataset/download$", annotations.download),
    path("api/requests", annotations.all_requests),
    path("api/requests/<str:request_id>", annotations.one_request),
    *_growth(),
    re_path(r"^api/(?P<path>.*)$", server.not_here),
    path("admin/", admin.site.urls),
    path("django-rq/", queues),
]
