package routing

import "strings"

// Name is what people call something that is dialled besides people and numbers: a feature code, a parking orbit, a conference
// room, a group to page. It is "" for everything else.
func (f *Features) Name(dialled string) string {
	if r := f.Room(dialled); r != nil {
		return named(r.Name, "Conference", dialled)
	}
	if p := f.Page(dialled); p != nil {
		return named(p.Name, "Page", dialled)
	}
	if f.Orbit(dialled) {
		return "Parking place " + dialled
	}
	service, arg, ok := f.code(dialled)
	if !ok {
		return ""
	}
	return strings.TrimSpace(serviceName(service) + " " + arg)
}

func named(name, kind, extension string) string {
	if name != "" {
		return name
	}
	return kind + " " + extension
}

func serviceName(service string) string {
	switch service {
	case ServiceEcho:
		return "Echo test"
	case ServiceVoicemail, ServiceAnyVoicemail:
		return "Voicemail"
	case serviceMessage:
		return "Message for"
	case ServiceDNDOn:
		return "Do not disturb"
	case ServiceDNDOff:
		return "Do not disturb, off"
	case ServiceForwardOn:
		return "Forwarding"
	case ServiceForwardOff:
		return "Forwarding, off"
	case ServiceRedial:
		return "Last caller"
	case ServicePickup:
		return "Pickup"
	case serviceIntercom:
		return "Intercom"
	}
	return ""
}
