package sip

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// The event packages that we have.
const (
	packageDialog   = "dialog"
	packagePresence = "presence"
	packageMessages = "message-summary"
)

// eventPackage is one kind of thing to subscribe to (RFC 6665 §5).
type eventPackage struct {
	name string
	body string // content type of its NOTIFYs
	// find is the key of what a user calls so; false when there is nothing for the user to watch.
	find func(user, name string) (key string, ok bool)
	// content is the state as this subscription shall see it, and the calls in it; false when there is nothing any more.
	content func(*subscription) (content []byte, shown []string, ok bool)
	// wrap makes the body of it.
	wrap func(*subscription, []byte) []byte
}

// packagesOf are those that cfg provides for.
func packagesOf(cfg Config) map[string]*eventPackage {
	all := make(map[string]*eventPackage)
	if cfg.Lamps != nil {
		all[packageDialog] = &eventPackage{name: packageDialog, body: "application/dialog-info+xml",
			find: cfg.Lamps.Lamp, content: dialogContent, wrap: dialogInfo}
		all[packagePresence] = &eventPackage{name: packagePresence, body: "application/pidf+xml",
			find: cfg.Lamps.Lamp, content: presenceContent, wrap: presenceDocument}
	}
	if cfg.Messages != nil {
		all[packageMessages] = &eventPackage{name: packageMessages, body: messageSummary,
			find: cfg.Messages.Mailbox, content: messagesContent, wrap: plainly}
	}
	return all
}

// maxShown is how many calls of one extension a phone is told of: what it can show fits into a datagram.
const maxShown = 8

// entity is the URI of what is watched, as the phone called it.
func (sub *subscription) entity() string {
	return "sip:" + escapeUser(sub.name) + "@" + sub.srv.domain(sub.hop)
}

// dialogContent writes the dialogs of a lamp (RFC 4235 §4.1). Calls that the phone was told of and that are over are in it once
// more: some phones leave the lamp on otherwise.
func dialogContent(sub *subscription) (content []byte, shown []string, ok bool) {
	state, ok := sub.srv.cfg.Lamps.LampState(sub.user, sub.of.key)
	if !ok {
		return nil, nil, false
	}
	var b bytes.Buffer
	for i := range state.Calls[:min(len(state.Calls), maxShown)] {
		c := &state.Calls[i]
		shown = append(shown, c.ID)
		sub.writeDialog(&b, &state, c)
	}
	for _, id := range sub.shown {
		if !slices.Contains(shown, id) {
			fmt.Fprintf(&b, "<dialog id=\"%s\"><state>terminated</state></dialog>\n", escapeXML(id))
		}
	}
	if b.Len() == 0 && sub.told != nil && len(sub.shown) == 0 && bytes.Contains(sub.told, []byte("terminated")) {
		return sub.told, nil, true // that it is over was told
	}
	return append([]byte{}, b.Bytes()...), shown, true
}

// writeDialog writes a call. Its tags are from the watched phone's view (RFC 4235 §4.1.2).
func (sub *subscription) writeDialog(b *bytes.Buffer, state *LampState, c *LampCall) {
	fmt.Fprintf(b, "<dialog id=\"%s\"", escapeXML(c.ID))
	if c.SIPCallID != "" {
		if local, remote, ok := sub.srv.calls.dialogs.tags(c.SIPCallID); ok {
			fmt.Fprintf(b, " call-id=\"%s\" local-tag=\"%s\" remote-tag=\"%s\"", escapeXML(c.SIPCallID), escapeXML(remote), escapeXML(local))
		}
	}
	direction := "initiator"
	if c.Incoming {
		direction = "recipient"
	}
	fmt.Fprintf(b, " direction=\"%s\"><state>%s</state>", direction, c.Stage)
	fmt.Fprintf(b, "<local><identity display=\"%s\">%s</identity><target uri=\"%[2]s\">", escapeXML(state.Name), escapeXML(sub.entity()))
	if c.Held {
		b.WriteString(`<param pname="+sip.rendering" pval="no"/>`)
	}
	b.WriteString("</target></local>")
	if c.Remote.Number != "" {
		a := callerAddr(c.Remote, sub.srv.domain(sub.hop))
		uri := escapeXML(a.uri.String())
		fmt.Fprintf(b, "<remote><identity display=\"%s\">%s</identity><target uri=\"%[2]s\"/></remote>", escapeXML(a.name), uri)
	}
	b.WriteString("</dialog>\n")
}

// dialogInfo is the whole document.
func dialogInfo(sub *subscription, content []byte) []byte {
	return fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" "+
		"version=\"%d\" state=\"full\" entity=\"%s\">\n%s</dialog-info>\n", sub.version, escapeXML(sub.entity()), content)
}

// presenceContent is open or closed, with what a person reads: on the phone, do not disturb (RFC 3863, RFC 4480).
func presenceContent(sub *subscription) (content []byte, shown []string, ok bool) {
	state, ok := sub.srv.cfg.Lamps.LampState(sub.user, sub.of.key)
	if !ok {
		return nil, nil, false
	}
	basic, activity, note := "closed", "", ""
	if state.Open && !state.DND {
		basic = "open"
	}
	switch {
	case len(state.Calls) > 0:
		activity, note = "<rpid:on-the-phone/>", "On the phone"
	case state.DND:
		activity, note = "<rpid:busy/>", "Do not disturb"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<tuple id=\"t1\"><status><basic>%s</basic></status><contact>%s</contact>", basic, escapeXML(sub.entity()))
	if note != "" {
		fmt.Fprintf(&b, "<note>%s</note></tuple>\n<dm:person id=\"p1\"><rpid:activities>%s</rpid:activities><dm:note>%s</dm:note></dm:person>\n", note, activity, note)
	} else {
		b.WriteString("</tuple>\n")
	}
	return b.Bytes(), nil, true
}

func presenceDocument(sub *subscription, content []byte) []byte {
	return fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "+
		"xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"%s\">\n%s</presence>\n",
		escapeXML(sub.entity()), content)
}

// messageSummary is the content type of RFC 3842.
const messageSummary = "application/simple-message-summary"

func messagesContent(sub *subscription) (content []byte, shown []string, ok bool) {
	count, ok := sub.srv.cfg.Messages.Messages(sub.of.key)
	return summary(count, sub.srv.domain(sub.hop)), nil, ok
}

// summary is the body that tells of a mailbox (RFC 3842 §5.2).
func summary(count MessageCount, domain string) []byte {
	waiting := "no"
	if count.New > 0 {
		waiting = "yes"
	}
	account := ""
	if count.Dial != "" {
		account = "Message-Account: sip:" + escapeUser(count.Dial) + "@" + domain + "\r\n"
	}
	return fmt.Appendf(nil, "Messages-Waiting: %s\r\n%sVoice-Message: %d/%d (0/0)\r\n", waiting, account, max(count.New, 0), max(count.Old, 0))
}

func plainly(_ *subscription, content []byte) []byte { return content }

// escapeXML writes text as XML has it; what XML cannot hold becomes a replacement character.
func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}
