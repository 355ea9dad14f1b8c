"""
The words of the catalogue in English.

A key has no dot if the chat's element or a refusal has it, else the name of its screen before a
dot. What stands in braces is a slot. Of keys that end in "_one" and "_many" the number decides.
"""

from __future__ import annotations

from shiny_labchat.errors import DETAILS, NOT_STORED, SENTENCES

__all__ = ["ELEMENT", "WORDS"]

ELEMENT = {
    "room": "Chat",
    "log": "Messages",
    "you": "You",
    "assistant": "Assistant",
    "only": "Only you can see this",
    "withdrawn": "This message was withdrawn.",
    "withdrawn_name": "Withdrawn participant",
    "today": "Today",
    "yesterday": "Yesterday",
    "show_more": "Show more",
    "show_less": "Show less",
    "new_one": "1 new message",
    "new_many": "{n} new messages",
    "newest": "To the newest",
    "older": "Loading earlier messages…",
    "image": "image",
    "task": "task",
    "footnote_back": "Back to the text",
    "copied": "Copied",
    "copy": "Copy",
    "stop": "Stop {name}'s answer",
    "still_nothing": "No answer yet. Please wait…",
    "stopped": "Stopped.",
    "cut_short": "This answer was cut short by an error.",
    "interrupted": "This answer was cut short: the server was interrupted.",
    "withheld": "This answer was withheld.",
    "thinking": "Thinking…",
    "thoughts": "Thoughts",
    "tool_running": "running…",
    "tool_failed": "failed",
    "tool_call": "Call",
    "tool_result": "Result",
    "web_search": "Web search",
    "web_fetch": "Web page",
    "web_sources": "Sources",
    "here": "{n} here",
    "and_more": "and {n} more",
    "typing_one": "{a} is typing…",
    "typing_two": "{a} and {b} are typing…",
    "typing_many": "Several people are typing…",
    "asked": "Are you still there?",
    "confirm": "I am here",
    "role_assistant": "assistant",
    "role_experimenter": "experimenter",
    "role_observer": "observer",
    "you_are": "You are {name}",
    "message": "Your message",
    "send": "Send",
    "sending": "Sending…",
    "unsent": "Will be sent when the connection is back",
    "remaining": "{n} characters left",
    "over": "Too long by {n}",
    "locked": "You cannot write now",
    "only_reading": "You only read here",
    "empty": "There is nothing to send yet.",
    "above_limit": "The message is too long: {n} characters of at most {max}.",
    "joining": "Joining…",
    "waiting": "Waiting for a room…",
    "first": "You are the first here.",
    "closed": "This room is closed. You can read, but not write.",
    "readonly": "You can read this room, but not write in it.",
    "removed": "You have been removed from this room.",
    "gone": "This room does not exist any more.",
    "left": "This chat has ended.",
    "drawn_twice": "This page shows the chat “{id}” twice; it works in the first place. "
    "Please tell the organisers.",
    "not_started": "The app behind this page could not start. Please tell the organisers.",
    "reconnecting": "Connection lost. Trying again…",
    "back": "Connected again.",
    "page_lost": "The page around the chat has lost its connection. The chat goes on.",
    "page_reload": "Reload the page to have the rest of it back.",
    "answers_later": "Automatic answers come when it is back.",
    "answers_reload": "There are no automatic answers until then.",
    "sandboxed": "The chat does not work inside this frame. Please open it in a window of its own. "
    "(The sandbox of the frame would have to allow-same-origin.)",
    "unloaded": "The chat could not be loaded. Please reload the page.",
}
"""The labels of the chat's element: those in ``www/labels.js`` and ``www/unloaded.js``."""

_SERVER = {
    "not_stored": NOT_STORED,
    "placeholder": "Enter a message...",
    "reply_failed": "The assistant could not answer. Please try again in a moment.",
}
"""What the server says or draws in a room, beside refusals."""

_STUDY = {
    "one_moment": "One moment, please…",
    "go_on": "Continue",
    "time.minutes_one": "1 minute",
    "time.minutes_many": "{n} minutes",
    "time.seconds_one": "1 second",
    "time.seconds_many": "{n} seconds",
    "withdrawn.name": "Withdrawn participant",
    "other_window": "You have opened this study in another window. Please go on there.",
    "other_window.title": "Open in another window",
    "other_window.here": "Go on here instead",
    "reload": "This page has lost its connection to the study. Please reload it.",
    "contact": "If you have questions, write to {contact}.",
    # consent
    "consent.title": "Consent to take part",
    "consent.accept": "I agree to take part",
    "consent.refuse": "I do not want to take part",
    "consent.needed": "needed to take part",
    "consent.missing": "To take part, please agree to what is marked as well.",
    "consent.telemetry.counts": "While you write a message, it is recorded how long that takes, "
    "how often you pause, how many keys you press, how many of them delete something, how much "
    "you paste, and how often you go to another window. Which keys you press, and what you "
    "delete, is not recorded.",
    "consent.telemetry.rhythm": "While you write a message, it is recorded how long that takes, "
    "how often you pause, how many keys you press and at which intervals, how many of them delete "
    "something, how much you paste, and how often you go to another window. Which keys you press, "
    "and what you delete, is not recorded.",
    "consent.paste": "It is recorded how many characters of each of your messages you have pasted.",
    "consent.replacement": "If somebody leaves the group, a computer program may go on in their "
    "place. The others are told of it only when the study ends for them.",
    # stopping
    "stop.button": "Stop taking part",
    "stop.title": "Do you want to stop taking part?",
    "stop.text": "Your part in the study ends then, and you cannot come back to it. You need not "
    "give a reason.",
    "stop.data": "What is to become of the data that you have given so far?",
    "stop.keep": "Stop, and keep my data",
    "stop.delete": "Stop, and delete my data",
    "stop.limits": "What others have quoted of your messages cannot be deleted.",
    "stop.cancel": "Go on taking part",
    "stop.kept": "The data that you have given are kept.",
    "stop.deleted": "The data that you have given are deleted, as you have asked.",
    # waiting for a group
    "lobby.title": "Waiting for your group",
    "lobby.count": "People here: {here} of {needed}",
    "lobby.position": "Your place in the line: {n}",
    "lobby.longest": "You wait at most {time}.",
    "lobby.remaining": "At most {time} left",
    "lobby.then_leave": "If there is no group when the time is over, your part in the study ends.",
    "lobby.then_begin": "If others are missing when the time is over, you begin without them.",
    "lobby.then_told": "If there is no group when the time is over, this page says how it goes on.",
    "lobby.by_hand": "The organisers start the groups.",
    "lobby.opens": "It begins in {time}.",
    "lobby.extended": "It takes longer than planned: at most {time} more.",
    "lobby.longer": "Wait {time} longer",
    "lobby.stay": "Please keep this page open.",
    "lobby.sound": "You hear a sound when your group is ready.",
    "lobby.notify": "Notify me when my group is ready",
    "lobby.leave": "Stop waiting",
    "lobby.leave_title": "Do you want to stop waiting?",
    "lobby.leave_text": "Your part in the study ends then, and you cannot come back to it.",
    "lobby.leave_cancel": "Go on waiting",
    "lobby.requeued": "Somebody in your group did not answer. You are first in the line for the "
    "next group.",
    "ready.title": "Your group is ready",
    "ready.text": "Please press the button within {time}.",
    "ready.button": "I am here",
    "ready.waiting": "Waiting for the others, at most {time}.",
    "wait_again.title": "Do you want to wait again?",
    "wait_again.text": "You did not press the button in time. If you wait again, you are last in "
    "the line.",
    "wait_again.away": "You were away for a while, so your place in the line is gone. If you wait "
    "again, you are last in the line.",
    "wait_again.yes": "Wait again",
    "wait_again.no": "End my part in the study",
    "idle.title": "Are you still there?",
    "idle.text": "Please press the button within {time}. If you do not, your part in the study "
    "ends.",
    "idle.button": "I am still here",
    "name.title": "Choose a name",
    "name.text": "The others see this name. Please do not use your real one.",
    "name.label": "Your name in the group",
    "name.button": "Continue",
    # forms, and waiting for each other
    "form.submit": "Continue",
    "form.missing_one": "1 answer is missing. It is marked.",
    "form.missing_many": "{n} answers are missing. They are marked.",
    "form.needed": "Please answer this.",
    "form.untouched": "Please choose, also if it is to stay as it is.",
    "form.not_stored": "Your answers are kept on this page, but they are not stored yet. Please "
    "try again in a moment.",
    "barrier.waiting": "Waiting for the others, at most {time}.",
    "round.out": "You have no group in this round",
    "round.out.text": "The others are in the middle of a round. You take part again in the next "
    "one.",
    "barrier.late": "The others have gone on, as the time was over.",
    # the clock, and the button "done"
    "clock.waiting": "It begins when everybody is here, in {time} at the latest.",
    "clock.opens": "It begins in {time}.",
    "clock.hours": "You can write again in {time}.",
    "clock.left": "{time} left",
    "clock.paused": "The clock stands still, as somebody in the group is missing.",
    "clock.over": "The time is over.",
    "done.button": "Continue",
    "done.messages_one": "You can go on when you have written 1 more message.",
    "done.messages_many": "You can go on when you have written {n} more messages.",
    "done.characters_one": "You can go on when you have written 1 more character.",
    "done.characters_many": "You can go on when you have written {n} more characters.",
    "done.seconds": "You can go on in {time}.",
    "done.both_one": "You can go on in {time}, when you have written 1 more message.",
    "done.both_many": "You can go on in {time}, when you have written {n} more messages.",
    "done.characters_time_one": "You can go on in {time}, when you have written 1 more character.",
    "done.characters_time_many": "You can go on in {time}, when you have written {n} more "
    "characters.",
    "done.pressed": "You are done here.",
    # whose turn it is, and when one may write again
    "turn.mine": "It is your turn.",
    "turn.mine_left": "It is your turn: {time} left.",
    "turn.others": "It is {name}'s turn.",
    "turn.others_left": "It is {name}'s turn: {time} left.",
    "turn.somebody": "It is somebody else's turn.",
    "turn.nobody": "It is nobody's turn yet.",
    "cooldown.left": "You can write the next message in {time}.",
    # the end
    "ended.page": "End of the study",
    "ended.complete": "Thank you",
    "ended.complete.text": "You have completed the study. Thank you for taking part.",
    "ended.lobby_timeout": "No group came together",
    "ended.lobby_timeout.text": "Not enough people came in the time that was planned. Your part in "
    "the study ends here.",
    "ended.not_ready": "Your part in the study has ended",
    "ended.not_ready.text": "You did not press the button in time when a group was ready for you.",
    "ended.idle": "Your part in the study has ended",
    "ended.idle.text": "There was no answer from you for some time.",
    "ended.removed": "Your part in the study has ended",
    "ended.removed.text": "The organisers have removed you from the study.",
    "ended.group_dissolved": "Your group cannot go on",
    "ended.group_dissolved.text": "Too few people of your group are still here. Your part in the "
    "study ends here, through no fault of yours.",
    "ended.full": "The study is full",
    "ended.full.text": "Enough people are taking part already, so there is no place left.",
    "ended.closed": "The study is closed",
    "ended.closed.text": "It is not possible to take part in this study now.",
    "ended.no_consent": "You are not taking part",
    "ended.no_consent.text": "You have not agreed to take part, so the study does not begin.",
    "ended.screened_out": "You cannot take part in this study",
    "ended.screened_out.text": "Your answers do not match what the study is looking for.",
    "ended.incompatible": "The study does not work here",
    "ended.incompatible.text": "This browser or device lacks something that the study needs.",
    "ended.withdrew": "You have stopped taking part",
    "ended.withdrew.text": "Your part in the study ends here, as you wished.",
    "ended.already_took_part": "You have taken part already",
    "ended.already_took_part.text": "You have taken part in this study or in one that belongs to "
    "it. Each person can do so once.",
    "ended.replaced": "Your place is taken",
    "ended.replaced.text": "You were away for some time, and a computer program has taken your "
    "place in the group. Your part in the study ends here.",
    "ended.error": "Something went wrong",
    "ended.error.text": "We are sorry: an error has ended the study for you. It is not your fault.",
    "ended.close": "You can close this window now.",
    "pay.full": "You are paid in full.",
    "pay.partial": "You are paid in part.",
    "pay.none": "There is no payment for this.",
    "pay.amount": "You are paid {amount}.",
    "pay.bonus": "In addition you get a bonus of {amount}.",
    "pay.bonus_only": "You get a bonus of {amount}.",
    "code.label": "Your completion code",
    "code.text": "Please enter this code on the page that has sent you here.",
    "code.copy": "Copy the code",
    "code.copied": "The code is copied.",
    "code.link": "Go back with this code",
    "code.after_question": "Your completion code comes when you have answered the question below.",
    "code.after_text": "Your completion code comes after the text below.",
    "link.after_question": "The link that leads you back comes when you have answered the question "
    "below.",
    "link.after_text": "The link that leads you back comes after the text below.",
    "receipt.label": "If you want to withdraw your data later",
    "receipt.text": "With this code, and nothing else, you can have the data deleted that "
    "you have given. Please keep it: nobody can give it to you again, and it says nothing of "
    "who you are.",
    "receipt.copy": "Copy the withdrawal code",
    "receipt.link": "Withdraw my data",
    "withdraw.title": "Withdraw your data",
    "withdraw.text": "Here you can have the data deleted that you have given in a study. "
    "You need the code that the last page of the study has shown you for this.",
    "withdraw.label": "Your code for withdrawing",
    "withdraw.final": "This cannot be undone. You need not give a reason.",
    "withdraw.button": "Delete my data",
    "withdraw.wrong": "No data belong to this code. Please compare it with the last page of"
    " the study: it has 20 letters and digits, and is not the completion code.",
    "withdraw.too_often": "Too many wrong codes have come from your network. Please try "
    "again in a few minutes.",
    "withdraw.failed": "Your data could not be deleted just now. Please try again in a moment.",
    "withdraw.done_title": "Your data are deleted",
    "withdraw.done": "The data that you have given in the study are deleted. You can close "
    "this page.",
    "withdraw.earlier": "These data have been deleted before.",
    "withdrawn.at": "The data that you have given were deleted on {time} (UTC).",
    "code.none": "There is no completion code for this.",
    "debrief.title": "What this study was about",
    "debrief.programme_one": "In your group, {names} was a computer program, not a person.",
    "debrief.programme_many": "In your group, {names} were computer programs, not people.",
    "debrief.replaced_one": "In your group, a computer program went on in the place of {names}, "
    "under the same name.",
    "debrief.replaced_many": "In your group, computer programs went on in the places of {names}, "
    "under the same names.",
    "debrief.own_place": "When you were away, a computer program went on in your place, under your "
    "name in the group. The others are told of it only when their own part ends.",
    "debrief.and": "{names} and {name}",
    "keep.title": "May we keep your data?",
    "keep.text": "What you are paid does not depend on your answer.",
    "keep.yes": "Yes, keep my data",
    "keep.no": "No, delete my data",
}
"""What the pages of a study say."""

WORDS = {**SENTENCES, **DETAILS, **ELEMENT, **_SERVER, **_STUDY}
