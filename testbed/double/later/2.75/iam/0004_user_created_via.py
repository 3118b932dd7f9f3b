"""How an account was made; of accounts from before it is not known."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("iam", "0003_move_user_content_type")]
    operations = [
        migrations.AddField("User", "created_via", models.CharField(max_length=16, null=True, default=None))
    ]
