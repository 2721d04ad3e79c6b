"""The shell script that shows the TCP sockets of many pods of a node, from a pod that sees the node's processes.

Its words are the seconds between two looks, 0 for a single one, and the uids of the pods. It prints for each pod, in
as many pieces as there are looks, what the script of `_look_script` prints for a pod by itself:

    #grpclb pod UID                      what follows is this pod's
    #grpclb script 1                     … in the frame of the pod's own look
    #grpclb none UID                     in place of a piece: the pod has no process here
    #grpclb over                         all of it came

A pod is found by a process whose cgroup is in the pod's, which is named after its uid: `pod<uid>` by the cgroupfs
driver, `…-pod<uid with _ for ->.slice` by the systemd one (pkg/kubelet/cm of Kubernetes). The first process is taken,
since it stays; CRI-O's conmon is in the pod's cgroup and not in its network, so that a process that shares the
network of process 1 is the last choice.

It wants sh, sleep and cat, and no right at all: /proc/PID/net and /proc/PID/cgroup may be read by everybody (fs/proc
of Linux), so that it runs as nobody, without any capability. The pods' /etc/resolv.conf is out of its sight.
"""

__all__ = ["SCRIPT"]

SCRIPT = r"""
exec 2>/dev/null
LC_ALL=C
export LC_ALL
window=$1
shift

# A uid as the systemd driver spells it, which also serves as the name of the pod's variables.
spell() {
  IFS=-
  set -- $1
  IFS=_
  key="$*"
  unset IFS
}

# The innermost pod of a process; no process is started for any of this, as there may be thousands of them.
pod_of() {
  key=
  while read -r line; do
    case $line in
    *crio-conmon*) return ;;
    */pod*) uid=${line##*/pod} ;;
    *-pod*) uid=${line##*-pod} ;;
    *) continue ;;
    esac
    uid=${uid%%[./]*}
    case $uid in '' | *[!0-9A-Za-z_-]*) return ;; esac
    spell "$uid"
    eval "[ -n \"\$wanted_$key\" ]" || key=
    return
  done <"/proc/$1/cgroup"
}

find_all() {
  for directory in /proc/[0-9]*; do
    id=${directory#/proc/}
    pod_of "$id"
    [ -z "$key" ] && continue
    kind=own
    [ "$directory/net/tcp" -ef /proc/1/net/tcp ] && kind=host
    eval "best=\$${kind}_$key"
    [ -n "$best" ] && [ "$best" -lt "$id" ] || eval "${kind}_$key=$id"
  done
}

# Listing a family walks the whole machine's table of connections (milliseconds), so that a family of which the
# pod has no socket at all is left out.
families() {
  files=
  uses TCP: "$net/sockstat" && files=$net/tcp
  [ -e "$net/tcp6" ] && uses TCP6: "$net/sockstat6" && files="$files $net/tcp6"
  files=${files:-$net/tcp}
}

uses() {
  while read -r name _ count _; do
    [ "$name" = "$1" ] && [ "$count" = 0 ] && return 1
  done <"$2"
  return 0
}

count() {
  counted=
  while read -r line; do
    case $line in
    Tcp:*)
      case $counted in *Tcp:*) counted="$counted
$line" && break ;; esac
      counted="
$line"
      ;;
    esac
  done <"$net/snmp"
}

gateway() {
  nowhere=00000000000000000000000000000000
  while read -r _ to via _; do
    [ "$to" = 00000000 ] && [ "$via" != 00000000 ] && return
  done <"$net/route"
  while read -r to bits _ _ via _; do
    [ "$to$bits" = ${nowhere}00 ] && [ "$via" != $nowhere ] && return
  done <"$net/ipv6_route"
  via=
}

# In hundredths of a second.
clock() {
  now=
  read -r now _ </proc/uptime
  case $now in [1-9]*.??) now=${now%.*}${now#*.} ;; *) now= ;; esac
}

# How long it was since the pod's own first look: those at the other pods came between.
waited() {
  eval "since=\$at_$key"
  waited=$window
  if [ -n "$now" ] && [ -n "$since" ]; then
    waited=$((now - since))
    case $waited in ?) waited=00$waited ;; ??) waited=0$waited ;; esac
    waited=${waited%??}.${waited#"${waited%??}"}
  fi
}

heading() {
  if [ "$1" = 2 ]; then
    waited
    heading="#grpclb waited $waited"
    return
  fi
  eval "at_$key=$now"
  heading="#grpclb script 1"
  [ "$window" = 0 ] && return
  gateway
  [ -z "$via" ] || heading="$heading
#grpclb gateway $via"
}

# A first process that was a probe's has ended by now.
find() {
  eval "id=\${own_$1:-\$host_$1}"
  pod_of "${id:-none}"
  [ "$key" = "$1" ] && return
  searches=$((searches - 1))
  [ $searches -gt 0 ] || return
  unset "own_$1" "host_$1"
  find_all
  eval "id=\${own_$1:-\$host_$1}"
  pod_of "${id:-none}"
}

# Each write is a message through kubelet and API server, so that a look is written at once.
look() {
  spell "$2"
  pod=$key
  find "$pod"
  if [ "$key" != "$pod" ]; then
    echo "#grpclb none $2"
    return
  fi
  net=/proc/$id/net
  clock
  heading "$1"
  counted=
  [ "$window" = 0 ] || count
  families
  rows=$(cat $files)
  echo "#grpclb pod $2
$heading
#grpclb look $1 proc$counted
#grpclb sockets
$rows

#grpclb status $?$3"
}

for each; do
  spell "$each"
  eval "wanted_$key=yes"
done
find_all
searches=5
end="
#grpclb end"
if [ "$window" = 0 ]; then
  for each; do look 1 "$each" "$end"; done
else
  for each; do look 1 "$each"; done
  sleep "$window" || sleep $((${window%.*} + 1)) || exit 1
  for each; do look 2 "$each" "$end"; done
fi
echo "#grpclb over"
"""
