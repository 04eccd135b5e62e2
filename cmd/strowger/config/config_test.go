package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"strowger/configs"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "strowger.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestExampleIsTheDefault: the annotated example names every key with its default, so loading it changes nothing.
func TestExampleIsTheDefault(t *testing.T) {
	file := write(t, string(configs.Example))
	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Data = filepath.Join(filepath.Dir(file), "data")
	got.Trunks, got.SIP.Domains, got.HTTP.Origins, got.HTTP.TrustedProxies = nil, nil, nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the example differs from the defaults:\n%+v\n%+v", got, want)
	}
	checkKeys(t, string(configs.Example), reflect.TypeFor[Config](), "")
}

// checkKeys looks for every key of the structs in the example, commented ones included.
func checkKeys(t *testing.T, text string, typ reflect.Type, path string) {
	for i := range typ.NumField() {
		key := typ.Field(i).Tag.Get("yaml")
		if key == "" {
			continue
		}
		if !strings.Contains(text, key+":") {
			t.Errorf("the example does not mention %s%s", path, key)
		}
		ft := typ.Field(i).Type
		if ft.Kind() == reflect.Slice {
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Struct && ft.NumField() > 0 && ft.Field(0).Tag.Get("yaml") != "" {
			checkKeys(t, text, ft, path+key+".")
		}
	}
}

func TestErrorsNamePlaceAndRemedy(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"htpp: {}\n", "strowger.yaml:1:1: htpp"},
		{"sip:\n  udp: 5060\n", "strowger.yaml:2:8: sip.udp"},
		{"rtp: {ports: 10-20}\n", "must be FROM-TO between 1024 and 65535"},
		{"log: {level: loud}\n", "it must be one of debug, info, warn, error"},
		{"public_address: phone.example\n", "SDP carries no host names"},
		{"trunks:\n- {server: a.example}\n", "trunks[0].name"},
		{"trunks:\n- name: a\n  server: a.example:99999\n", `strowger.yaml:3:11: trunks[0].server: "99999" is no port`},
		{"trunks:\n- {name: a, server: x, register: true}\n", "needs the account's user name"},
		{"trunks:\n- {name: a, server: x}\n- {name: a, server: y}\n", `"a" is the name of trunks[0] too`},
		{"trunks:\n- {name: a, server: x, addresses: [nowhere]}\n", "neither an IP address nor a network"},
		{"http:\n  trusted_proxies: [proxy.example]\n", "strowger.yaml:2:21: http.trusted_proxies"},
		{"trunks:\n- {name: a, server: x, caller_username: y}\n", "needs trunks[0].caller_password beside it"},
		{"trunks:\n- {name: a, server: x, numbers: [\"49\"]}\n", `such as "+49"`},
		{"trunks:\n- {name: a, server: x, numbers: [\"\"]}\n", `such as "+49"`},
		{"trunks:\n- {name: a, server: x, privacy: yes}\n", "it must be one of id, from"},
		{"trunks:\n- {name: a, server: x, expires: 5s}\n", "it must be 1m to 24h"},
		{"sip: {min_expires: 2h}\n", "longer than max_expires"},
	} {
		_, err := Load(write(t, test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %q", test.text, err, test.want)
		}
	}
}

func TestEnvironmentOverrides(t *testing.T) {
	t.Setenv("STROWGER_HTTP_LISTEN", "127.0.0.1:1234")
	t.Setenv("STROWGER_RTP_PORTS", "30000-30100")
	t.Setenv("STROWGER_CALLS_DRAIN", "5s")
	t.Setenv("STROWGER_TRUNKS_0_PASSWORD", "hush")
	c, err := Load(write(t, "trunks:\n- {name: a, server: x, password: file}\nhttp: {url: https://p.example}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Listen != "127.0.0.1:1234" || c.RTP.Ports != (PortRange{30000, 30100}) || c.Trunks[0].Password != "hush" || c.HTTP.URL != "https://p.example" || c.Trunks[0].Name != "a" {
		t.Errorf("%+v", c)
	}
}

func TestTrustedProxies(t *testing.T) {
	c, err := Load(write(t, "http: {trusted_proxies: [127.0.0.1, 10.1.2.3/8]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.HTTP.Proxies()); got != "[127.0.0.1/32 10.0.0.0/8]" {
		t.Errorf("from the file: %s", got)
	}
	t.Setenv("STROWGER_HTTP_TRUSTED_PROXIES", "192.0.2.1,2001:db8::/32")
	if c, err = Load(write(t, "http: {trusted_proxies: [127.0.0.1]}\n")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.HTTP.Proxies()); got != "[192.0.2.1/32 2001:db8::/32]" {
		t.Errorf("from the environment: %s", got)
	}
}

func TestOnlyHTTPS(t *testing.T) {
	for _, test := range []struct {
		http HTTP
		want bool
	}{
		{HTTP{Listen: ":8080"}, false},
		{HTTP{Listen: ":8080", TLS: ":443"}, false},
		{HTTP{TLS: ":443"}, true},
		{HTTP{Listen: "127.0.0.1:8080", URL: "http://phone.example"}, false},
		{HTTP{Listen: "127.0.0.1:8080", URL: "https://phone.example"}, true}, // behind a proxy
	} {
		if got := test.http.OnlyHTTPS(); got != test.want {
			t.Errorf("%+v: %v", test.http, got)
		}
	}
}

func TestUnknownVariableIsRefused(t *testing.T) {
	t.Setenv("STROWGER_HTTP_LISTNE", ":1")
	if _, err := Load(""); err == nil || !strings.Contains(err.Error(), "STROWGER_HTTP_LISTNE is no key") {
		t.Errorf("got %v", err)
	}
}

func TestTrunkVariableWithoutTrunk(t *testing.T) {
	t.Setenv("STROWGER_TRUNKS_0_PASSWORD", "hush")
	if _, err := Load(""); err == nil || !strings.Contains(err.Error(), "the file has 0 trunks") {
		t.Errorf("got %v", err)
	}
}

func TestFlags(t *testing.T) {
	c := Default()
	if err := c.Override(Flags{HTTP: "127.0.0.1:0", SIP: "127.0.0.1:5070", RTP: "40000-40100"}); err != nil {
		t.Fatal(err)
	}
	if c.SIP.UDP != "127.0.0.1:5070" || c.SIP.TLS != "127.0.0.1:5071" || c.RTP.Ports.To != 40100 {
		t.Errorf("%+v", c)
	}
	for _, bad := range []Flags{{HTTP: "x"}, {SIP: "1:2:3"}, {RTP: "9"}} {
		if err := c.Override(bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}
