"""The shell script that shows a pod's TCP sockets once or twice, for any POSIX shell with next to no tools.

It prints lines of its own, each beginning with `model.look.MARK`, and between them what the tools print:

    #grpclb script 1                     its format
    #grpclb search shop.svc.cluster.local …    the resolver's search list, where it has one
    #grpclb gateway 0100F40A                   where the pod's packets go, where there are two looks; hexadecimal
    #grpclb look 1 proc                  what shows the sockets: ss, proc, netstat-wide, netstat-narrow or none
    Tcp: …                               the two lines of /proc/net/snmp, where there are two looks
    #grpclb sockets
    …                                    the tool's own output
    #grpclb status 0                     how the tool ended
    #grpclb waited 5                     seconds, or `none` where nothing in the container can wait
    #grpclb look 2 proc …
    #grpclb end

It reads tcp, tcp6, sockstat, sockstat6, snmp, route and ipv6_route of /proc/net, and /etc/resolv.conf, and writes no
file. Small files are read by the shell itself, because a process costs more than the file. No line depends on a
language.
"""

__all__ = ["SCRIPT"]

SCRIPT = r"""
exec 2>/dev/null
LC_ALL=C
export LC_ALL
window=$1
via=

# ss and netstat can fail and still end with 0 after a header, so that only a listener proves that they work.
# The kernel's files are not tried: reading their first line costs the kernel as much as reading all.
choose() {
  tool=ss
  command -v ss >/dev/null && case $(ss -tln) in *LISTEN*) return ;; esac
  tool=proc
  [ -r /proc/net/tcp ] && return
  if command -v netstat >/dev/null; then
    tool=netstat-wide
    case $(netstat -tlnW) in *LISTEN*) return ;; esac
    tool=netstat-narrow
    case $(netstat -tln) in *LISTEN*) return ;; esac
  fi
  tool=none
}

copy() {
  if command -v cat >/dev/null; then
    cat "$@"
    return
  fi
  for file; do
    while IFS= read -r line; do echo "$line"; done <"$file" || return
  done
}

# Listing a family walks the whole machine's table of connections (milliseconds), so that a family of which the
# pod has no socket at all is left out.
families() {
  files=
  uses TCP: /proc/net/sockstat && files=/proc/net/tcp
  [ -e /proc/net/tcp6 ] && uses TCP6: /proc/net/sockstat6 && files="$files /proc/net/tcp6"
  files=${files:-/proc/net/tcp}
}

uses() {
  while read -r key _ count _; do
    [ "$key" = "$1" ] && [ "$count" = 0 ] && return 1
  done <"$2"
  return 0
}

list() {
  case $tool in
  ss) ss -tain state established state listening ;;
  proc) families && copy $files ;;
  netstat-wide) netstat -tanW ;;
  netstat-narrow) netstat -tan ;;
  esac
  status=$?
  echo
  echo "#grpclb status $status"
}

# Each write is a message through kubelet and API server, so that a look is written at once.
look() {
  counted=
  [ "$window" = 0 ] || count
  echo "$heading#grpclb look $1 $tool$counted
#grpclb sockets
$(list)$2"
  heading=
}

count() {
  while read -r line; do
    case $line in
    Tcp:*)
      case $counted in *Tcp:*) counted="$counted
$line" && break ;; esac
      counted="
$line"
      ;;
    esac
  done </proc/net/snmp
}

# Some sleeps take whole seconds only. Without sleep, a new terminal is something to read that stays silent.
pause() {
  waited=$window
  sleep "$window" && return
  case $window in *.*) waited=$((${window%.*} + 1)) ;; esac
  sleep "$waited" && return
  if true </dev/ptmx; then
    read -r -t "$waited" line </dev/ptmx
    case $? in 1 | 12[89] | 1[3-9]? | 2??) return ;; esac
  fi
  waited=none
}

# With many networks a kubelet's probes come from the pod's gateway, which is no address that its node is known by.
gateway() {
  nowhere=00000000000000000000000000000000
  while read -r _ to via _; do
    [ "$to" = 00000000 ] && [ "$via" != 00000000 ] && echo "$via" && return
  done </proc/net/route
  while read -r to bits _ _ via _; do
    [ "$to$bits" = ${nowhere}00 ] && [ "$via" != $nowhere ] && echo "$via" && return
  done </proc/net/ipv6_route
}

heading="#grpclb script 1
"
while read -r key line; do
  case $key$line in
  *\\*) ;;
  search*)
    [ "$key" = search ] && heading="$heading#grpclb search $line
"
    ;;
  esac
done </etc/resolv.conf
[ "$window" = 0 ] || via=$(gateway)
[ -z "$via" ] || heading="$heading#grpclb gateway $via
"
choose
end="
#grpclb end"
if [ "$window" = 0 ] || [ $tool = none ]; then
  look 1 "$end"
else
  look 1
  pause
  heading="#grpclb waited $waited
"
  if [ "$waited" = none ]; then
    echo "$heading#grpclb end"
  else
    look 2 "$end"
  fi
fi
"""
