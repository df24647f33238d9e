from django import forms


class CodeForm(forms.Form):
    """The code that a patient brings, in capitals or not, with spaces or hyphens or without; or the
    address that a scanner reads from the picture beside it."""

    code = forms.CharField(
        label="Patient's code",
        max_length=200,
        error_messages={"required": "Type the code that the patient shows you, such as K7M-4QX."},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "size": 10,
            }
        ),
    )
