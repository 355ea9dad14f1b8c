"""The words of the catalogue in German, with the polite "Sie"."""

from __future__ import annotations

__all__ = ["WORDS"]

_REFUSALS = {
    "bad_frame": "Die Seite hat etwas gesendet, was der Server nicht versteht. Bitte laden Sie die "
    "Seite neu.",
    "bad_name": "Bitte geben Sie einen Namen aus 1 bis 30 Zeichen ein.",
    "bad_text": "Die Nachricht enthält Zeichen, die nicht angezeigt werden können. Bitte entfernen "
    "Sie diese.",
    "busy": "Der Server ist stark ausgelastet. Diese Seite versucht es von selbst wieder.",
    "closed": "Dieser Raum ist geschlossen. Sie können lesen, aber nicht schreiben.",
    "consent_first": "Bitte lesen Sie zuerst die Einwilligung und beantworten Sie sie.",
    "consent_incomplete": "Bitte stimmen Sie allem zu, was nötig ist, oder nehmen Sie nicht teil.",
    "cooldown": "Bitte warten Sie einen Moment bis zu Ihrer nächsten Nachricht. Ihr Text bleibt "
    "erhalten.",
    "empty": "Es gibt noch nichts zu senden.",
    "ended": "Sie haben diese Studie verlassen.",
    "end_link": "Dieser Link führt nirgendwohin. Bitte gehen Sie zurück zur Studie oder "
    "benachrichtigen Sie die Studienleitung.",
    "failed": "Auf dem Server ist etwas schiefgegangen. Bitte laden Sie die Seite neu oder "
    "benachrichtigen Sie die Studienleitung.",
    "fixed": "Das kann nicht mehr geändert werden: Es sind Personen in der Studie.",
    "form_incomplete": "Einige Antworten fehlen. Bitte beantworten Sie alle Fragen, und senden Sie "
    "es noch einmal.",
    "gate": "Sie können noch nicht weitermachen. Bitte schreiben Sie erst noch einige Nachrichten.",
    "link_over": "Dieser Link führt nicht mehr in den Raum. Bitte fragen Sie nach einem neuen.",
    "muted": "Sie können in diesem Raum zurzeit nicht schreiben.",
    "name_taken": "Diesen Namen hat schon jemand. Bitte wählen Sie einen anderen.",
    "no_chat": "Diese Seite zeigt einen Chat, den ihre Anwendung nicht bedient. Bitte "
    "benachrichtigen Sie die Studienleitung.",
    "no_clock": "Dieser Raum hat keine Zeitgrenze.",
    "no_debrief": "Diese Studie ist noch nicht bereit. Bitte benachrichtigen Sie die "
    "Studienleitung.",
    "no_element": "Dieser Chat funktioniert auf dieser Seite nicht. Bitte benachrichtigen Sie die "
    "Studienleitung.",
    "no_longer": "Länger als das können Sie nicht warten.",
    "no_message": "Diese Nachricht gibt es in diesem Raum nicht.",
    "no_replacement": "Diese Studie ist noch nicht bereit. Bitte benachrichtigen Sie die "
    "Studienleitung.",
    "no_room": "Diesen Raum gibt es nicht mehr.",
    "no_turns": "In diesem Raum schreibt man nicht der Reihe nach.",
    "not_accepted": "Diese Nachricht wurde nicht angenommen, und niemand hat sie gesehen. Sie "
    "können sie ändern.",
    "not_ended": "Sie nehmen an dieser Studie noch teil.",
    "not_grouped": "Diese Personen können jetzt keine Gruppe bilden. Sie warten weiter.",
    "not_in_study": "Diese Studie kennt Sie noch nicht. Bitte laden Sie die Seite neu.",
    "not_invited": "Diesen Raum kann man nur mit einem persönlichen Link betreten. Bitte öffnen "
    "Sie Ihren.",
    "not_member": "Sie gehören nicht zu diesem Raum.",
    "not_processed": "Diese Nachricht konnte nicht verarbeitet werden. Niemand hat sie gesehen. "
    "Bitte versuchen Sie es noch einmal.",
    "not_waiting": "Sie warten nicht in diesem Warteraum.",
    "not_yet": "Es hat noch nicht begonnen. Ihr Text bleibt erhalten.",
    "not_your_turn": "Sie sind noch nicht an der Reihe. Ihr Text bleibt erhalten.",
    "old_consent": "Der Text der Einwilligung hat sich geändert. Bitte lesen Sie ihn noch einmal.",
    "old_page": "Diese Seite ist von einer früheren Version. Bitte laden Sie sie neu; Ihr Text "
    "bleibt erhalten.",
    "origin": "Diese Seite darf diesen Chat-Server nicht benutzen.",
    "out_of_hours": "Zu dieser Zeit kann niemand schreiben. Ihr Text bleibt erhalten.",
    "paid": "Es gibt schon eine Zahlung mit diesem Namen.",
    "pasted": "Hier kann nichts eingefügt werden. Bitte tippen Sie Ihre Nachricht.",
    "read_only": "Sie können in diesem Raum lesen, aber nicht schreiben.",
    "removed": "Sie wurden aus diesem Raum entfernt.",
    "revoked": "Ihr Zugang zu diesem Raum wurde zurückgezogen. Bitte wenden Sie sich an die "
    "Studienleitung.",
    "store_broken": "Die Datenbank des Servers hat versagt. Bitte versuchen Sie es noch einmal "
    "oder benachrichtigen Sie die Studienleitung.",
    "store_busy": "Die Datenbank des Servers ist beschäftigt. Bitte versuchen Sie es gleich noch "
    "einmal.",
    "store_full": "Der Speicher des Servers ist voll. Bitte benachrichtigen Sie die "
    "Studienleitung.",
    "store_gone": "Der Server hat seine Datenbank verloren. Bitte benachrichtigen Sie die "
    "Studienleitung.",
    "store_missing": "Der Server hat noch keine Datenbank. Bitte benachrichtigen Sie die "
    "Studienleitung.",
    "store_moved": "Die Datenbank des Servers zieht gerade um. Bitte versuchen Sie es in einigen "
    "Minuten noch einmal.",
    "store_read_only": "Der Server darf nicht in seine Datenbank schreiben. Bitte benachrichtigen "
    "Sie die Studienleitung.",
    "taken": "Jemand anderes hat diesen Platz. Bitte benachrichtigen Sie die Studienleitung.",
    "ticket": "Die Erlaubnis dieser Seite ist abgelaufen. Bitte laden Sie die Seite neu.",
    "too_big": "Das ist viel zu viel für eine Nachricht.",
    "too_early": "Sie können noch nicht weitermachen. Bitte warten Sie noch ein wenig.",
    "too_fast": "Sie senden sehr schnell hintereinander. Bitte warten Sie einige Sekunden.",
    "too_late": "Diese Antwort kam zu spät.",
    "too_long": "Die Nachricht ist zu lang.",
    "too_many": "Sie haben in diesem Raum so viel geschrieben, wie Sie dürfen.",
    "too_many_people": "Sehr viele neue Personen sind gleichzeitig gekommen. Diese Seite versucht "
    "es von selbst wieder.",
    "too_many_tabs": "Dieser Chat ist in zu vielen Tabs offen. Bitte schließen Sie einige und "
    "laden Sie dann diesen neu.",
    "too_much": "Damit würden Sie in diesem Raum mehr schreiben, als Sie dürfen.",
    "anew.detail": "Um neu zu beginnen, öffnen Sie die Adresse dieser Seite ohne den Teil nach dem "
    "Fragezeichen.",
    "origin.detail": "Ihre Herkunft ist {origin}.",
    "out_of_hours.detail": "Schreiben können Sie von {opens} bis {closes} ({zone}).",
    "too_long.detail": "Bitte höchstens {max} Zeichen.",
    "too_much.detail": "Es sind noch {n} Zeichen übrig.",
}

_ELEMENT = {
    "room": "Chat",
    "log": "Nachrichten",
    "you": "Sie",
    "assistant": "Assistent",
    "only": "Nur Sie können das sehen",
    "withdrawn": "Diese Nachricht wurde zurückgezogen.",
    "withdrawn_name": "Zurückgezogene Person",
    "today": "Heute",
    "yesterday": "Gestern",
    "show_more": "Mehr anzeigen",
    "show_less": "Weniger anzeigen",
    "new_one": "1 neue Nachricht",
    "new_many": "{n} neue Nachrichten",
    "newest": "Zur neuesten",
    "older": "Frühere Nachrichten werden geladen…",
    "image": "Bild",
    "task": "Aufgabe",
    "footnote_back": "Zurück zum Text",
    "copied": "Kopiert",
    "copy": "Kopieren",
    "stop": "Antwort von {name} anhalten",
    "still_nothing": "Noch keine Antwort. Bitte warten Sie…",
    "stopped": "Angehalten.",
    "cut_short": "Diese Antwort wurde durch einen Fehler abgebrochen.",
    "interrupted": "Diese Antwort wurde abgebrochen: Der Server wurde unterbrochen.",
    "withheld": "Diese Antwort wurde zurückgehalten.",
    "thinking": "Denkt nach…",
    "thoughts": "Gedanken",
    "tool_running": "läuft…",
    "tool_failed": "fehlgeschlagen",
    "tool_call": "Aufruf",
    "tool_result": "Ergebnis",
    "web_search": "Suche im Web",
    "web_fetch": "Webseite",
    "web_sources": "Quellen",
    "here": "{n} hier",
    "and_more": "und {n} weitere",
    "typing_one": "{a} schreibt…",
    "typing_two": "{a} und {b} schreiben…",
    "typing_many": "Mehrere Personen schreiben…",
    "asked": "Sind Sie noch da?",
    "confirm": "Ich bin da",
    "role_assistant": "Assistent",
    "role_experimenter": "Studienleitung",
    "role_observer": "Beobachter",
    "you_are": "Sie sind {name}",
    "message": "Ihre Nachricht",
    "send": "Senden",
    "sending": "Wird gesendet…",
    "unsent": "Wird gesendet, sobald die Verbindung wieder da ist",
    "remaining": "Noch {n} Zeichen",
    "over": "Um {n} zu lang",
    "locked": "Sie können jetzt nicht schreiben",
    "only_reading": "Hier lesen Sie nur",
    "above_limit": "Die Nachricht ist zu lang: {n} Zeichen von höchstens {max}.",
    "joining": "Verbindung wird hergestellt…",
    "waiting": "Warten auf einen Raum…",
    "first": "Sie sind als Erste oder Erster hier.",
    "readonly": "Sie können in diesem Raum lesen, aber nicht schreiben.",
    "gone": "Diesen Raum gibt es nicht mehr.",
    "left": "Dieser Chat ist beendet.",
    "drawn_twice": "Diese Seite zeigt den Chat „{id}“ zweimal; er funktioniert an der ersten "
    "Stelle. Bitte benachrichtigen Sie die Studienleitung.",
    "not_started": "Die Anwendung hinter dieser Seite konnte nicht starten. Bitte benachrichtigen "
    "Sie die Studienleitung.",
    "reconnecting": "Verbindung verloren. Neuer Versuch…",
    "back": "Wieder verbunden.",
    "page_lost": "Die Seite um den Chat hat ihre Verbindung verloren. Der Chat geht weiter.",
    "page_reload": "Laden Sie die Seite neu, damit auch der Rest wieder da ist.",
    "answers_later": "Automatische Antworten kommen, wenn sie wieder da ist.",
    "answers_reload": "Bis dahin gibt es keine automatischen Antworten.",
    "sandboxed": "Der Chat funktioniert in diesem Rahmen nicht. Bitte öffnen Sie ihn in einem "
    "eigenen Fenster. (Die Sandbox des Rahmens müsste allow-same-origin erlauben.)",
    "unloaded": "Der Chat konnte nicht geladen werden. Bitte laden Sie die Seite neu.",
}

_SERVER = {
    "not_stored": "Ihre Nachricht wurde nicht gespeichert.",
    "placeholder": "Nachricht eingeben...",
    "reply_failed": "Der Assistent konnte nicht antworten. Bitte versuchen Sie es gleich noch "
    "einmal.",
}

_STUDY = {
    "one_moment": "Einen Moment, bitte…",
    "go_on": "Weiter",
    "time.minutes_one": "1 Minute",
    "time.minutes_many": "{n} Minuten",
    "time.seconds_one": "1 Sekunde",
    "time.seconds_many": "{n} Sekunden",
    "withdrawn.name": "Zurückgezogene Person",
    "other_window": "Sie haben diese Studie in einem anderen Fenster geöffnet. Bitte machen Sie "
    "dort weiter.",
    "other_window.title": "In einem anderen Fenster geöffnet",
    "other_window.here": "Lieber hier weitermachen",
    "reload": "Diese Seite hat die Verbindung zur Studie verloren. Bitte laden Sie sie neu.",
    "contact": "Wenn Sie Fragen haben, schreiben Sie an {contact}.",
    "consent.title": "Einwilligung zur Teilnahme",
    "consent.accept": "Ich willige ein teilzunehmen",
    "consent.refuse": "Ich möchte nicht teilnehmen",
    "consent.needed": "nötig für die Teilnahme",
    "consent.missing": "Um teilzunehmen, stimmen Sie bitte auch dem zu, was markiert ist.",
    "consent.telemetry.counts": "Während Sie eine Nachricht schreiben, wird aufgezeichnet, wie "
    "lange das dauert, wie oft Sie innehalten, wie viele Tasten Sie drücken, wie viele davon "
    "etwas löschen, wie viel Sie einfügen und wie oft Sie in ein anderes Fenster wechseln. Welche "
    "Tasten Sie drücken und was Sie löschen, wird nicht aufgezeichnet.",
    "consent.telemetry.rhythm": "Während Sie eine Nachricht schreiben, wird aufgezeichnet, wie "
    "lange das dauert, wie oft Sie innehalten, wie viele Tasten Sie drücken und in welchen "
    "Abständen, wie viele davon etwas löschen, wie viel Sie einfügen und wie oft Sie in ein "
    "anderes Fenster wechseln. Welche Tasten Sie drücken und was Sie löschen, wird nicht "
    "aufgezeichnet.",
    "consent.paste": "Es wird aufgezeichnet, wie viele Zeichen jeder Ihrer Nachrichten Sie "
    "eingefügt haben.",
    "consent.replacement": "Wenn jemand die Gruppe verlässt, kann ein Computerprogramm an der "
    "Stelle dieser Person weitermachen. Die anderen erfahren das erst, wenn die Studie für sie "
    "endet.",
    "stop.button": "Teilnahme beenden",
    "stop.title": "Möchten Sie Ihre Teilnahme beenden?",
    "stop.text": "Ihre Teilnahme an der Studie endet dann, und Sie können nicht zurückkehren. Sie "
    "müssen keinen Grund nennen.",
    "stop.data": "Was soll mit den Daten geschehen, die Sie bisher gegeben haben?",
    "stop.keep": "Beenden und meine Daten behalten",
    "stop.delete": "Beenden und meine Daten löschen",
    "stop.limits": "Was andere aus Ihren Nachrichten zitiert haben, kann nicht gelöscht werden.",
    "stop.cancel": "Weiter teilnehmen",
    "stop.kept": "Die Daten, die Sie gegeben haben, bleiben erhalten.",
    "stop.deleted": "Die Daten, die Sie gegeben haben, werden wie gewünscht gelöscht.",
    "lobby.title": "Warten auf Ihre Gruppe",
    "lobby.count": "Personen hier: {here} von {needed}",
    "lobby.position": "Ihr Platz in der Reihe: {n}",
    "lobby.longest": "Sie warten höchstens {time}.",
    "lobby.remaining": "Noch höchstens {time}",
    "lobby.then_leave": "Wenn die Zeit um ist und es keine Gruppe gibt, endet Ihre Teilnahme "
    "an der Studie.",
    "lobby.then_begin": "Wenn noch jemand fehlt, sobald die Zeit um ist, beginnen Sie ohne diese "
    "Personen.",
    "lobby.then_told": "Wenn die Zeit um ist und es keine Gruppe gibt, sagt diese Seite, wie "
    "es weitergeht.",
    "lobby.by_hand": "Die Studienleitung startet die Gruppen.",
    "lobby.opens": "Es beginnt in {time}.",
    "lobby.extended": "Es dauert länger als geplant: noch höchstens {time}.",
    "lobby.longer": "{time} länger warten",
    "lobby.stay": "Bitte lassen Sie diese Seite offen.",
    "lobby.sound": "Sie hören einen Ton, wenn Ihre Gruppe bereit ist.",
    "lobby.notify": "Benachrichtigen, wenn meine Gruppe bereit ist",
    "lobby.leave": "Nicht länger warten",
    "lobby.leave_title": "Möchten Sie nicht länger warten?",
    "lobby.leave_text": "Ihre Teilnahme an der Studie endet dann, und Sie können nicht "
    "zurückkehren.",
    "lobby.leave_cancel": "Weiter warten",
    "lobby.requeued": "Jemand in Ihrer Gruppe hat nicht geantwortet. Bei der nächsten Gruppe sind "
    "Sie zuerst an der Reihe.",
    "ready.title": "Ihre Gruppe ist bereit",
    "ready.text": "Bitte drücken Sie innerhalb von {time} den Knopf.",
    "ready.button": "Ich bin da",
    "ready.waiting": "Warten auf die anderen, höchstens {time}.",
    "wait_again.title": "Möchten Sie noch einmal warten?",
    "wait_again.text": "Sie haben den Knopf nicht rechtzeitig gedrückt. Wenn Sie noch einmal "
    "warten, stehen Sie am Ende der Reihe.",
    "wait_again.away": "Sie waren eine Weile weg, daher ist Ihr Platz in der Reihe nicht mehr da. "
    "Wenn Sie noch einmal warten, stehen Sie am Ende der Reihe.",
    "wait_again.yes": "Noch einmal warten",
    "wait_again.no": "Meine Teilnahme beenden",
    "idle.title": "Sind Sie noch da?",
    "idle.text": "Bitte drücken Sie innerhalb von {time} den Knopf. Sonst endet Ihre Teilnahme an "
    "der Studie.",
    "idle.button": "Ich bin noch da",
    "name.title": "Wählen Sie einen Namen",
    "name.text": "Die anderen sehen diesen Namen. Bitte nehmen Sie nicht Ihren richtigen.",
    "name.label": "Ihr Name in der Gruppe",
    "name.button": "Weiter",
    "form.submit": "Weiter",
    "form.missing_one": "1 Antwort fehlt. Sie ist markiert.",
    "form.missing_many": "{n} Antworten fehlen. Sie sind markiert.",
    "form.needed": "Bitte beantworten Sie das.",
    "form.untouched": "Bitte wählen Sie, auch wenn es so bleiben soll.",
    "form.not_stored": "Ihre Antworten bleiben auf dieser Seite, sind aber noch nicht gespeichert. "
    "Bitte versuchen Sie es gleich noch einmal.",
    "barrier.waiting": "Warten auf die anderen, höchstens {time}.",
    "round.out": "Sie haben in dieser Runde keine Gruppe",
    "round.out.text": "Die anderen sind mitten in einer Runde. In der nächsten machen Sie wieder "
    "mit.",
    "barrier.late": "Die anderen haben weitergemacht, da die Zeit abgelaufen war.",
    "clock.waiting": "Es beginnt, wenn alle da sind, spätestens in {time}.",
    "clock.opens": "Noch {time}, dann beginnt es.",
    "clock.hours": "Noch {time}, dann können Sie wieder schreiben.",
    "clock.left": "Noch {time}",
    "clock.paused": "Die Uhr steht still, da jemand aus der Gruppe fehlt.",
    "clock.over": "Die Zeit ist abgelaufen.",
    "done.button": "Weiter",
    "done.messages_one": "Sie können weitermachen, wenn Sie noch 1 Nachricht geschrieben haben.",
    "done.messages_many": "Sie können weitermachen, wenn Sie noch {n} Nachrichten geschrieben "
    "haben.",
    "done.characters_one": "Sie können weitermachen, wenn Sie noch 1 Zeichen geschrieben haben.",
    "done.characters_many": "Sie können weitermachen, wenn Sie noch {n} Zeichen geschrieben haben.",
    "done.seconds": "Sie können in {time} weitermachen.",
    "done.both_one": "Sie können in {time} weitermachen, wenn Sie noch 1 Nachricht geschrieben "
    "haben.",
    "done.both_many": "Sie können in {time} weitermachen, wenn Sie noch {n} Nachrichten "
    "geschrieben haben.",
    "done.characters_time_one": "Sie können in {time} weitermachen, wenn Sie noch 1 Zeichen "
    "geschrieben haben.",
    "done.characters_time_many": "Sie können in {time} weitermachen, wenn Sie noch {n} Zeichen "
    "geschrieben haben.",
    "done.pressed": "Sie sind hier fertig.",
    "turn.mine": "Sie sind an der Reihe.",
    "turn.mine_left": "Sie sind an der Reihe, noch {time}.",
    "turn.others": "{name} ist an der Reihe.",
    "turn.others_left": "{name} ist an der Reihe, noch {time}.",
    "turn.somebody": "Jemand anderes ist an der Reihe.",
    "turn.nobody": "Noch ist niemand an der Reihe.",
    "cooldown.left": "Noch {time}, dann können Sie die nächste Nachricht schreiben.",
    "ended.page": "Ende der Studie",
    "ended.complete": "Vielen Dank",
    "ended.complete.text": "Sie haben die Studie abgeschlossen. Vielen Dank für Ihre Teilnahme.",
    "ended.lobby_timeout": "Es ist keine Gruppe zustande gekommen",
    "ended.lobby_timeout.text": "In der vorgesehenen Zeit sind nicht genug Personen gekommen. Ihre "
    "Teilnahme an der Studie endet hier.",
    "ended.not_ready": "Ihre Teilnahme an der Studie ist beendet",
    "ended.not_ready.text": "Sie haben den Knopf nicht rechtzeitig gedrückt, als eine Gruppe für "
    "Sie bereit war.",
    "ended.idle": "Ihre Teilnahme an der Studie ist beendet",
    "ended.idle.text": "Von Ihnen kam einige Zeit keine Antwort.",
    "ended.removed": "Ihre Teilnahme an der Studie ist beendet",
    "ended.removed.text": "Die Studienleitung hat Sie aus der Studie entfernt.",
    "ended.group_dissolved": "Ihre Gruppe kann nicht weitermachen",
    "ended.group_dissolved.text": "Zu wenige Personen Ihrer Gruppe sind noch da. Ihre Teilnahme an "
    "der Studie endet hier, ohne dass Sie etwas dafür können.",
    "ended.full": "Die Studie ist voll",
    "ended.full.text": "Es nehmen schon genug Personen teil, daher ist kein Platz mehr frei.",
    "ended.closed": "Die Studie ist geschlossen",
    "ended.closed.text": "Die Teilnahme an dieser Studie ist jetzt nicht möglich.",
    "ended.no_consent": "Sie nehmen nicht teil",
    "ended.no_consent.text": "Sie haben nicht eingewilligt teilzunehmen, daher beginnt die Studie "
    "nicht.",
    "ended.screened_out": "Sie können an dieser Studie nicht teilnehmen",
    "ended.screened_out.text": "Ihre Antworten passen nicht zu dem, was die Studie sucht.",
    "ended.incompatible": "Die Studie funktioniert hier nicht",
    "ended.incompatible.text": "Diesem Browser oder Gerät fehlt etwas, was die Studie braucht.",
    "ended.withdrew": "Sie haben Ihre Teilnahme beendet",
    "ended.withdrew.text": "Ihre Teilnahme an der Studie endet hier, wie Sie es wünschen.",
    "ended.already_took_part": "Sie haben schon teilgenommen",
    "ended.already_took_part.text": "Sie haben an dieser Studie oder an einer, die dazugehört, "
    "schon teilgenommen. Das ist nur einmal möglich.",
    "ended.replaced": "Ihr Platz ist besetzt",
    "ended.replaced.text": "Sie waren einige Zeit weg, und ein Computerprogramm hat Ihren Platz in "
    "der Gruppe eingenommen. Ihre Teilnahme an der Studie endet hier.",
    "ended.error": "Etwas ist schiefgegangen",
    "ended.error.text": "Es tut uns leid: Ein Fehler hat die Studie für Sie beendet. Sie können "
    "nichts dafür.",
    "ended.close": "Sie können dieses Fenster jetzt schließen.",
    "pay.full": "Sie bekommen die volle Bezahlung.",
    "pay.partial": "Sie bekommen einen Teil der Bezahlung.",
    "pay.none": "Dafür gibt es keine Bezahlung.",
    "pay.amount": "Sie bekommen {amount}.",
    "pay.bonus": "Zusätzlich bekommen Sie einen Bonus von {amount}.",
    "pay.bonus_only": "Sie bekommen einen Bonus von {amount}.",
    "code.label": "Ihr Abschlusscode",
    "code.text": "Bitte geben Sie diesen Code auf der Seite ein, von der Sie gekommen sind.",
    "code.copy": "Code kopieren",
    "code.copied": "Der Code ist kopiert.",
    "code.link": "Mit diesem Code zurückgehen",
    "code.after_question": "Ihr Abschlusscode kommt, wenn Sie die Frage unten beantwortet haben.",
    "code.after_text": "Ihr Abschlusscode kommt nach dem Text unten.",
    "link.after_question": "Der Link zurück kommt, wenn Sie die Frage unten beantwortet haben.",
    "link.after_text": "Der Link zurück kommt nach dem Text unten.",
    "receipt.label": "Wenn Sie Ihre Daten später zurückziehen möchten",
    "receipt.text": "Mit diesem Code, und nur damit, können Sie die Daten löschen lassen, "
    "die Sie gegeben haben. Bitte bewahren Sie ihn auf: Niemand kann ihn Ihnen noch einmal "
    "geben, und er sagt nichts darüber, wer Sie sind.",
    "receipt.copy": "Code zum Zurückziehen kopieren",
    "receipt.link": "Meine Daten zurückziehen",
    "withdraw.title": "Ihre Daten zurückziehen",
    "withdraw.text": "Hier können Sie die Daten löschen lassen, die Sie in einer Studie "
    "gegeben haben. Sie brauchen den Code, den Ihnen die letzte Seite der Studie dafür gezeigt "
    "hat.",
    "withdraw.label": "Ihr Code zum Zurückziehen",
    "withdraw.final": "Das kann nicht rückgängig gemacht werden. Sie müssen keinen Grund nennen.",
    "withdraw.button": "Meine Daten löschen",
    "withdraw.wrong": "Zu diesem Code gehören keine Daten. Bitte vergleichen Sie ihn mit "
    "der letzten Seite der Studie: Er hat 20 Buchstaben und Ziffern und ist nicht der "
    "Abschlusscode.",
    "withdraw.too_often": "Aus Ihrem Netz sind zu viele falsche Codes gekommen. Bitte "
    "versuchen Sie es in ein paar Minuten noch einmal.",
    "withdraw.failed": "Ihre Daten konnten gerade nicht gelöscht werden. Bitte versuchen "
    "Sie es gleich noch einmal.",
    "withdraw.done_title": "Ihre Daten sind gelöscht",
    "withdraw.done": "Die Daten, die Sie in der Studie gegeben haben, sind gelöscht. Sie "
    "können diese Seite schließen.",
    "withdraw.earlier": "Diese Daten wurden schon früher gelöscht.",
    "withdrawn.at": "Die Daten, die Sie gegeben haben, wurden am {time} (UTC) gelöscht.",
    "code.none": "Dafür gibt es keinen Abschlusscode.",
    "debrief.title": "Worum es in dieser Studie ging",
    "debrief.programme_one": "In Ihrer Gruppe war {names} ein Computerprogramm und kein Mensch.",
    "debrief.programme_many": "In Ihrer Gruppe waren {names} Computerprogramme und keine Menschen.",
    "debrief.replaced_one": "In Ihrer Gruppe hat ein Computerprogramm an der Stelle von {names} "
    "weitergemacht, unter demselben Namen.",
    "debrief.replaced_many": "In Ihrer Gruppe haben Computerprogramme an der Stelle von {names} "
    "weitergemacht, unter denselben Namen.",
    "debrief.own_place": "Als Sie weg waren, hat ein Computerprogramm an Ihrer Stelle "
    "weitergemacht, unter Ihrem Namen in der Gruppe. Die anderen erfahren das erst, wenn ihre "
    "eigene Teilnahme endet.",
    "debrief.and": "{names} und {name}",
    "keep.title": "Dürfen wir Ihre Daten behalten?",
    "keep.text": "Was Sie bezahlt bekommen, hängt nicht von Ihrer Antwort ab.",
    "keep.yes": "Ja, meine Daten behalten",
    "keep.no": "Nein, meine Daten löschen",
}

WORDS = {**_REFUSALS, **_ELEMENT, **_SERVER, **_STUDY}
