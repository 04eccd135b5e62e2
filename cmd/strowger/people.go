package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/voicemail"
	"strowger/store"
)

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Add a user to the directory."`
	List     userListCmd     `cmd:"" help:"List the users."`
	Password userPasswordCmd `cmd:"" help:"Set a user's password for the page; it is asked for."`
	PIN      userPINCmd      `cmd:"" name:"pin" help:"Set the PIN of a mailbox; it is asked for."`
	Link     userLinkCmd     `cmd:"" help:"Print a one-time sign-in link."`
}

type userAddCmd struct {
	ID        string `arg:"" help:"Short id, such as ann."`
	Name      string `help:"Full name." required:""`
	Role      string `help:"owner, admin or agent." default:"agent" enum:"owner,admin,agent"`
	Extension string `help:"Extension to dial."`
	Email     string `help:"E-mail address, also for signing in."`
	Phone     string `help:"Outside line (User Phone), E.164."`
	Password  bool   `help:"Ask for a password for the page."`
}

// Run adds the user.
func (c *userAddCmd) Run(g *Globals) error {
	in := admin.NewUser{User: store.User{ID: c.ID, Name: c.Name, Role: store.Role(c.Role), Extension: c.Extension, Email: c.Email, Phone: c.Phone}}
	if c.Password {
		password, err := g.askPassword()
		if err != nil {
			return err
		}
		in.Password = password
	}
	return g.withNewAdmin(func(a *admin.Client) error {
		if err := a.Send(http.MethodPost, "/users", in, nil); err != nil {
			return err
		}
		fmt.Fprintf(g.Stdout, "added user %s\n", c.ID)
		return nil
	})
}

type userListCmd struct{}

// Run lists the users.
func (c *userListCmd) Run(g *Globals) error {
	var users []store.User
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Get("/users", nil, &users); err != nil {
			return err
		}
		return g.table("ID\tNAME\tROLE\tEXT\tPHONE\tEMAIL", len(users), func(i int) string {
			u := users[i]
			return strings.Join([]string{u.ID, u.Name, string(u.Role), u.Extension, u.Phone, u.Email}, "\t")
		})
	})
}

type userPasswordCmd struct {
	ID string `arg:"" help:"User id."`
}

// Run sets the password.
func (c *userPasswordCmd) Run(g *Globals) error {
	password, err := g.askPassword()
	if err != nil {
		return err
	}
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Send(http.MethodPut, "/users/"+url.PathEscape(c.ID)+"/password", admin.Password{Password: password}, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(g.Stdout, "%s has a new password\n", c.ID)
		return err
	})
}

type userPINCmd struct {
	ID     string `arg:"" help:"User id; or one of our numbers, whose mailbox is shared."`
	Remove bool   `help:"Take the PIN away: the mailbox then opens from its owner's own phones only."`
}

// Run sets the PIN, or takes it away.
func (c *userPINCmd) Run(g *Globals) error {
	var in admin.PIN
	done := "the mailbox of %s has no PIN now\n"
	if !c.Remove {
		pin, err := g.askPassword()
		if err != nil {
			return err
		}
		if in.PIN = pin; pin == "" {
			return voicemail.ErrWeakPIN
		}
		done = "the mailbox of %s has a new PIN\n"
	}
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Send(http.MethodPut, "/mailboxes/"+url.PathEscape(c.ID)+"/pin", in, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(g.Stdout, done, c.ID)
		return err
	})
}

type userLinkCmd struct {
	ID string `arg:"" help:"User id."`
}

// Run prints the link.
func (c *userLinkCmd) Run(g *Globals) error {
	var out struct{ URL string }
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Send(http.MethodPost, "/users/"+url.PathEscape(c.ID)+"/link", nil, &out); err != nil {
			return err
		}
		fmt.Fprintln(g.Stdout, out.URL)
		return nil
	})
}

type deviceCmd struct {
	Add    deviceAddCmd    `cmd:"" help:"Add a phone of a user; prints its SIP password once."`
	List   deviceListCmd   `cmd:"" help:"List phones."`
	Remove deviceRemoveCmd `cmd:"" help:"Remove a phone."`
}

type deviceAddCmd struct {
	User  string `arg:"" help:"User id."`
	Kind  string `help:"desk, mobile, or browser (a foreign WebSocket phone)." default:"desk" enum:"desk,mobile,browser"`
	ID    string `help:"SIP user name; default USER-KIND."`
	Label string `help:"What people call it."`
	// Password lets an installer keep the password that a phone has already.
	Password string `help:"SIP password; default a new random one." env:"STROWGER_DEVICE_PASSWORD"`
}

// Run adds the device.
func (c *deviceAddCmd) Run(g *Globals) error {
	in := admin.NewDevice{ID: c.ID, User: c.User, Kind: c.Kind, Label: c.Label, Password: c.Password}
	var out admin.DeviceCreated
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Send(http.MethodPost, "/devices", in, &out); err != nil {
			return err
		}
		fmt.Fprintf(g.Stdout, "user name: %s\npassword:  %s\nrealm:     %s\n", out.Device.ID, out.Password, out.Device.Realm)
		var now struct{ Listen struct{ UDP, TCP string } }
		if a.Live && a.Get("/status", nil, &now) == nil {
			fmt.Fprintf(g.Stdout, "server:    %s\n", cmp.Or(now.Listen.UDP, now.Listen.TCP))
		}
		return nil
	})
}

type deviceListCmd struct {
	User string `help:"Only this user's."`
}

// Run lists the devices.
func (c *deviceListCmd) Run(g *Globals) error {
	var list []store.Device
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Get("/devices", url.Values{"user": {c.User}}, &list); err != nil {
			return err
		}
		return g.table("ID\tUSER\tKIND\tLABEL", len(list), func(i int) string {
			d := list[i]
			return strings.Join([]string{d.ID, d.User, d.Kind, d.Label}, "\t")
		})
	})
}

type deviceRemoveCmd struct {
	ID string `arg:"" help:"SIP user name."`
}

// Run removes the device.
func (c *deviceRemoveCmd) Run(g *Globals) error {
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Send(http.MethodDelete, "/devices/"+url.PathEscape(c.ID), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(g.Stdout, "removed %s\n", c.ID)
		return err
	})
}

// askPassword reads a password, twice and unseen from a terminal, else one line.
func (g *Globals) askPassword() (string, error) {
	in, isFile := g.Stdin.(interface{ Fd() uintptr })
	if !isFile || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(g.Stdin).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("read the password from standard input: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(g.Stderr, prompt)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(g.Stderr)
		return string(b), err
	}
	first, err := ask("New password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", fmt.Errorf("the passwords differ; nothing was changed")
	}
	return first, nil
}

// withAdmin runs f with the running server, or with the store when none runs.
func (g *Globals) withAdmin(f func(*admin.Client) error) error {
	a, err := admin.Dial(g.Data)
	if err != nil {
		return err
	}
	err = f(a)
	if cerr := a.Close(); err == nil {
		err = cerr
	}
	return err
}

// withNewAdmin is withAdmin for commands with which an installation begins: a store that is not there is made.
func (g *Globals) withNewAdmin(f func(*admin.Client) error) error {
	if err := admin.Make(g.Data); err != nil {
		return err
	}
	return g.withAdmin(f)
}

// table prints rows of tab-separated cells under a heading.
func (g *Globals) table(heading string, rows int, row func(int) string) error {
	w := tabwriter.NewWriter(g.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, heading)
	for i := range rows {
		fmt.Fprintln(w, row(i))
	}
	return w.Flush()
}
