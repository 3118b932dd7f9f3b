"""Whether the banner is shown; settings.GITHUB_STAR_PROMPT_POLICY names one of these."""


class EnabledGitHubStarPromptPolicy:
    shown = True


class DisabledGitHubStarPromptPolicy:
    shown = False
