"""What a staff page is wrapped in."""

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/staff/", "/staff/confirm/", "/staff/second-factor/"])
def test_a_stranger_is_led_to_the_sign_in_page_and_back(client: Client, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/staff/login/?next=%2Fstaff%2F") or (
        response.headers["Location"] == f"/staff/login/?next={address}"
    )
