"""What is pressed in the recorder stays where it is while the picture of the camera comes."""

from __future__ import annotations

from typing import Final

from tests.support.browser.participants import ParticipantPage
from tests.support.browser.remote import expect
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Visit

WATCH: Final = """
name => {
  window.places = [];
  const look = () => {
    const button = [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === name);
    if (button) window.places.push(Math.round(button.getBoundingClientRect().top + scrollY));
    requestAnimationFrame(look);
  };
  look();
}
"""
"""Where the button with this name is, in every frame."""
HAS_PICTURE: Final = "() => document.querySelector('video')?.readyState >= 2"


async def test_buttons_do_not_move_when_the_picture_comes(scene: Scene, visit: Visit) -> None:
    """Neither when the camera is turned on, nor when what was recorded can be watched."""
    waiting = await scene.waiting()
    person = await ParticipantPage.begin(await visit(), waiting.harmed_url, "en")
    await person.input.press(person.button(person.home("home.newVideo")))
    await person.input.press(person.button(person.sending("video.record")))
    for pressed, name in (
        (person.button(person.capture("video.start")), person.capture("record")),
        (person.button(person.capture("stop")), person.capture("use")),
    ):
        await person.page.evaluate("() => { delete window.places; }")
        await person.page.evaluate(WATCH, name)
        await person.input.press(pressed)
        await expect(person.button(name)).to_be_visible()
        await person.page.wait_for_function(HAS_PICTURE)
        await person.page.wait_for_timeout(500)
        places: list[int] = await person.page.evaluate("window.places")
        assert len(places) > 3
        assert len(set(places)) == 1, places
        if name == person.capture("record"):
            await person.input.press(person.button(name))
            recorded = person.capture("recorded", "0:01")
            await expect(person.page.get_by_text(recorded)).to_be_visible()
